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
from model.warp.dual_projection import dual_projection


def projection_pair(
    rng: np.random.Generator, library: Library, frames: int = 4, height: int = 128, width: int = 192
) -> Scene:
    """Draw a random scene and replace its holes by those of the dual projection."""
    scene = layered_scene(rng, library, frames, height, width)
    # dual projection leaves holes on the left of near objects, as in a left eye; the right eye's are mirrored
    mirrored = dual_projection(_mirrored_tensor(scene.truth), _mirrored_tensor(scene.disparity[..., None]))
    hole = mirrored.disocclusion.flip(-1)[:, 0].numpy()
    return Scene(scene.truth, scene.truth, hole, _beyond_the_border(hole, scene.disparity), scene.disparity)


def _mirrored_tensor(array: NDArray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(array[:, :, ::-1].transpose(0, 3, 1, 2)))


def _beyond_the_border(hole: NDArray, disparity: NDArray) -> NDArray:
    """Part of a hole that the other eye's picture cuts off: x + disparity lies outside of it."""
    seen_at = np.arange(hole.shape[2]) + disparity
    return hole & ((seen_at < 0) | (seen_at > hole.shape[2] - 1))
