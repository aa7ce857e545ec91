"""What the network learns from: layered scenes, whose order is exact, and what Draft sees when a clip moves.

Draft knows more of a moving clip than of a picture: parallax, occlusion, what its neighbours show. A single frame of
the clip with the depth that Draft finds for it in its window teaches the network to see that without motion.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from model.data.footage import moving_crop
from model.data.media import Library
from model.data.shapes import draw, random_outline
from model.depth.draft import Draft
from model.train.depth.network import HEIGHT, WIDTH

_WINDOW, _WINDOWS_A_CLIP = 9, 4
_OBJECTS = (1, 5)
_LAYERED_SHARE = 0.5


@dataclass(frozen=True)
class Sample:
    """One picture (H, W, 3) float32 0..1 and its nearness (H, W) float32."""

    picture: NDArray[np.float32]
    nearness: NDArray[np.float32]


def clip_samples(library: Library) -> list[Sample]:
    """Take frames from all over the clips, with Draft's depth of the window around each."""
    samples = []
    for clip in library.clips:
        for first in np.linspace(0, len(clip) - _WINDOW, _WINDOWS_A_CLIP).astype(int):
            window = torch.from_numpy(np.stack(clip[first : first + _WINDOW])).movedim(-1, 1).float() / 255
            nearness = Draft().estimate(window)[_WINDOW // 2, 0].numpy()
            samples.append(Sample(_sized(clip[first + _WINDOW // 2]) / np.float32(255), _sized(nearness)))
    return samples


def layered_sample(rng: np.random.Generator, library: Library) -> Sample:
    """Draw objects over a picture, each nearer than the last; the picture's own depth is unknown.

    Pixels of the picture are compared with objects, never with each other: all have the same nearness.
    """
    picture = moving_crop(rng, library, 1, HEIGHT, WIDTH)[0]
    nearness = np.zeros((HEIGHT, WIDTH), np.float32)
    for number in range(rng.integers(*_OBJECTS)):
        blur = float(rng.choice((0.0, 0.6, 1.2)))
        cover = draw(random_outline(rng, HEIGHT, WIDTH), HEIGHT, WIDTH, (0, 0), blur)
        colour = moving_crop(rng, library, 1, HEIGHT, WIDTH)[0]
        picture = picture + cover[..., None] * (colour - picture)
        nearness[cover > 0.5] = 0.2 * (number + 1)
    return Sample(picture, nearness)


def batch_of(
    rng: np.random.Generator, library: Library, clips: list[Sample], size: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Mix both kinds: pictures (B, 3, H, W) and nearness (B, H, W)."""
    chosen = [_drawn(rng, library, clips) for _ in range(size)]
    pictures = np.stack([sample.picture for sample in chosen]).transpose(0, 3, 1, 2)
    return (
        torch.from_numpy(np.ascontiguousarray(pictures)).float(),
        torch.from_numpy(np.stack([sample.nearness for sample in chosen])),
    )


def _drawn(rng: np.random.Generator, library: Library, clips: list[Sample]) -> Sample:
    if not clips or rng.random() < _LAYERED_SHARE:
        return layered_sample(rng, library)
    sample = clips[rng.integers(len(clips))]
    if rng.random() < 0.5:
        return sample
    return Sample(*(np.ascontiguousarray(part[:, ::-1]) for part in (sample.picture, sample.nearness)))


def _sized(values: NDArray) -> NDArray[np.float32]:
    return cv2.resize(values, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA).astype(np.float32)
