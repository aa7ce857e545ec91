"""Small scenes whose depth is known."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F


@pytest.fixture
def textured():
    """Builder of pictures with structure at every size: (seed, height, width) -> (3, H, W) float32 in 0..1."""

    def build(seed: int, height: int, width: int) -> torch.Tensor:
        generator = torch.Generator().manual_seed(seed)
        layers = [torch.rand(1, 3, height // s + 1, width // s + 1, generator=generator) for s in (24, 8, 3)]
        return torch.cat([F.interpolate(layer, (height, width), mode="bilinear") for layer in layers]).mean(dim=0)

    return build


@pytest.fixture
def walker(textured):
    """Clip of a textured square that walks before a textured background: frames (T, 3, 90, 160), mask (T, 90, 160).

    The camera pans by 1 px a frame, the square moves 3 px a frame against it.
    """
    background, square = textured(1, 90, 200), textured(2, 40, 30) * 0.6 + 0.35
    frames, masks = [], []
    for t in range(9):
        frame, mask = background[..., t : t + 160].clone(), torch.zeros(90, 160, dtype=torch.bool)
        left = 50 + 3 * t
        frame[:, 40:80, left : left + 30] = square
        mask[40:80, left : left + 30] = True
        frames.append(frame)
        masks.append(mask)
    return torch.stack(frames), torch.stack(masks)


@pytest.fixture
def grey_of():
    """(T, 3, H, W) tensor -> (T, H, W) float32 array."""
    return lambda frames: frames.mean(dim=1).numpy().astype(np.float32)
