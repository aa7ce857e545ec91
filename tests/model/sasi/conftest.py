"""A tiny network with random weights, and small windows with a near object over a texture."""

import pytest
import torch

from model.sasi.conditions import Conditions, prepare_conditions
from model.sasi.config import SasiConfig, Scope
from model.sasi.lite import LiteInpainter
from model.sasi.transformer import SasiTransformer
from model.sasi.weights import LoadedWeights
from model.warp.gapw import Warp, gapw

TINY = SasiConfig(width=24, heads=1, rope=(8, 8, 8), scopes=(Scope((1, 8, 8)), Scope((4, 4, 4), (2, 2, 2))))


@pytest.fixture
def tiny_network() -> SasiTransformer:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return SasiTransformer(TINY).eval().requires_grad_(False)


@pytest.fixture
def tiny_inpainter(tiny_network: SasiTransformer) -> LiteInpainter:
    return LiteInpainter(LoadedWeights(tiny_network, "tiny", "0", {"license": "CC0-1.0"}))


@pytest.fixture
def window() -> Warp:
    """Five frames of 72×104 px: a square 8 px nearer than a smooth background."""
    generator = torch.Generator().manual_seed(7)
    coarse = torch.rand(1, 3, 9, 13, generator=generator)
    image = torch.nn.functional.interpolate(coarse, (72, 104), mode="bilinear").repeat(5, 1, 1, 1)
    disparity = torch.zeros(5, 1, 72, 104)
    for frame in range(5):
        left = 40 + 3 * frame
        disparity[frame, :, 24:48, left : left + 20] = 8
        image[frame, :, 24:48, left : left + 20] = torch.tensor([1.0, 0.0, 0.0]).view(3, 1, 1)
    return gapw(image, disparity)


@pytest.fixture
def object_before_texture():
    """Conditions of any number of frames: a dark object at columns 20..31, its hole at 32..39, then bright texture."""

    def draw(frames: int) -> Conditions:
        generator = torch.Generator().manual_seed(4)
        view = torch.rand(frames, 3, 64, 96, generator=generator) * 0.4 + 0.5
        view[..., 20:32] = 0.0
        hole = torch.zeros(frames, 1, 64, 96, dtype=torch.bool)
        hole[..., 32:40] = True
        disparity = torch.zeros(frames, 1, 64, 96)
        disparity[..., 20:32] = 8.0
        return prepare_conditions(view, hole, disparity, frames)

    return draw
