"""Other ways to make training holes, for stage 1 of training and for comparing strategies (Table 3 of the paper).

Both take the drawn right view of a layered scene as footage, as `projection_pair` does.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from model.data.layered_scenes import Scene, layered_scene
from model.data.media import Library

_BOXES, _STROKES = (0, 3), (1, 4)
_SPEED_PX = 3.0


def random_mask_scene(
    rng: np.random.Generator, library: Library, frames: int = 4, height: int = 128, width: int = 192
) -> Scene:
    """Punch boxes and strokes that have nothing to do with depth; they drift from frame to frame."""
    scene = layered_scene(rng, library, frames, height, width)
    return _punched(scene, _drifting_mask(rng, frames, height, width))


def forward_pair(
    rng: np.random.Generator, library: Library, frames: int = 4, height: int = 128, width: int = 192
) -> Scene:
    """Punch the holes that a forward warp there and back leaves (TrajectoryCrafter): scattered, with ragged edges."""
    scene = layered_scene(rng, library, frames, height, width)
    # the right eye is the footage; its left eye lies where disparity moves pixels to the right
    there, seen = _splat(scene.disparity, scene.disparity, np.ones_like(scene.hole))
    _, back = _splat(there, -there, seen)
    return _punched(scene, ~back)


def _punched(scene: Scene, hole: NDArray) -> Scene:
    return Scene(scene.truth, scene.truth, hole, np.zeros_like(hole), scene.disparity)


def _drifting_mask(rng: np.random.Generator, frames: int, height: int, width: int) -> NDArray:
    mask = np.zeros((height, width), np.uint8)
    for _ in range(rng.integers(*_BOXES)):
        corner, size = rng.uniform(0, (width, height)), rng.uniform(0.05, 0.3, 2) * (width, height)
        cv2.rectangle(mask, _point(corner), _point(corner + size), 1, cv2.FILLED)
    for _ in range(rng.integers(*_STROKES)):
        points = rng.uniform(0, (width, height), (rng.integers(2, 6), 2)).astype(np.int32)
        cv2.polylines(mask, [points], False, 1, int(rng.integers(3, max(4, height // 8))))
    speed = rng.normal(0, _SPEED_PX, 2)
    moves = [np.array(((1, 0, speed[0] * t), (0, 1, speed[1] * t))) for t in range(frames)]
    drifted = [cv2.warpAffine(mask, move, (width, height), flags=cv2.INTER_NEAREST) for move in moves]
    return np.stack(drifted) > 0


def _point(place: NDArray) -> tuple[int, int]:
    return round(place[0]), round(place[1])


def _splat(values: NDArray, shift: NDArray, known: NDArray) -> tuple[NDArray, NDArray]:
    """Move every known pixel by its rounded shift; the nearest, that is of the largest value, wins.

    values (T, H, W), disparity     shift (T, H, W) px     known (T, H, W) bool
    returns the moved values, 0 where nothing lands, and where something did
    """
    width = values.shape[2]
    column = np.arange(width) + np.round(shift).astype(np.int64)
    lands = (known & (column >= 0) & (column < width)).nonzero()
    order = np.argsort(values[lands], kind="stable")  # far first: what is assigned last stays
    frame, row, source = (axis[order] for axis in lands)
    target = (frame, row, column[frame, row, source])
    moved, seen = np.zeros_like(values), np.zeros(values.shape, bool)
    moved[target], seen[target] = values[frame, row, source], True
    return moved, seen
