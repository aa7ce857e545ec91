"""Parallax-based dual projection (PBDP, eq. 8–9): holes of the warp itself, punched into pictures that are known.

The drawn right view of a layered scene serves as the mono footage; unlike a layered scene, what lies in its holes is
what the footage shows beside the object, and the rims are clean.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from model.data.layered_scenes import Scene, layered_scene
from model.data.media import Library
from model.warp.dual_projection import DualProjection, dual_projection


def projection_pair(
    rng: np.random.Generator, library: Library, frames: int = 4, height: int = 128, width: int = 192
) -> Scene:
    """Draw a random scene and replace its holes by those of the dual projection."""
    scene = layered_scene(rng, library, frames, height, width)
    projection = right_eye_projection(_channels_first(scene.truth), _channels_first(scene.disparity[..., None]))
    hole = projection.disocclusion[:, 0].numpy()
    return Scene(scene.truth, scene.truth, hole, _beyond_the_border(hole, scene.disparity), scene.disparity)


def right_eye_projection(frames: torch.Tensor, disparity: torch.Tensor) -> DualProjection:
    """Project mono footage as a right eye: dual projection leaves a left eye's holes, the right eye's are mirrored.

    frames     (T, C, H, W)  float32, finite
    disparity  (T, 1, H, W)  float32, px, of `frames`, > 0 is nearer than the screen
    """
    mirrored = dual_projection(frames.flip(-1), disparity.flip(-1))
    return DualProjection(
        target=frames,
        disocclusion=mirrored.disocclusion.flip(-1),
        view=mirrored.view.flip(-1),
        disparity=mirrored.disparity.flip(-1),
    )


def _channels_first(array: NDArray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(array.transpose(0, 3, 1, 2)))


def _beyond_the_border(hole: NDArray, disparity: NDArray) -> NDArray:
    """Part of a hole that the other eye's picture cuts off: x + disparity lies outside of it."""
    seen_at = np.arange(hole.shape[2]) + disparity
    return hole & ((seen_at < 0) | (seen_at > hole.shape[2] - 1))
