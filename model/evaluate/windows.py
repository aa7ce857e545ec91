"""Windows with holes whose truth is known: drawn over any footage, or cut by the dual projection of the footage itself.

Every medium of a folder is kept apart, so that a fill that is good on the whole and bad on one clip is seen to be.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from model.data.layered_scenes import Scene, layered_scene
from model.data.media import CLIP_SUFFIXES, PHOTO_SUFFIXES, Library, MediaRules, load_library
from model.data.projection_pairs import right_eye_projection
from model.depth.disparity import disparity_from_depth
from model.depth.estimators import DepthEstimator, steady_depth
from model.errors import InvalidInputError
from model.sasi.conditions import Conditions, prepare_conditions
from model.settings import Settings

_SEED = 90_210
_LEAST_HOLE = 0.002
"""Share of hidden pixels below which a drawn scene says little and is drawn again."""


@dataclass(frozen=True)
class Window:
    """Frames with holes; tensors (T, C, H, W), colours float32 0..1, H and W multiples of 16.

    medium       file that the footage comes from
    view, truth  C = 3                hole, edge  C = 1 bool, edge = the part of the hole that lies beyond the picture
    disparity    C = 1, px, of what `view` shows
    stretched    C = 3, the view as GAPW gives it, with its background stretched over the holes; None where not warped
    """

    medium: str
    view: Tensor
    truth: Tensor
    hole: Tensor
    edge: Tensor
    disparity: Tensor
    stretched: Tensor | None = None

    @cached_property
    def conditions(self) -> Conditions:
        """What a fill without a network has to work with: background, row sources, push-pull."""
        return prepare_conditions(self.view, self.hole, self.disparity, len(self.view))


@dataclass(frozen=True)
class WindowRules:
    """How many windows of which size are made of every medium."""

    height: int = 432  # px, a multiple of 16
    width: int = 768  # px, a multiple of 16
    frames: int = 5
    per_medium: int = 2

    def __post_init__(self) -> None:
        if self.height % 16 or self.width % 16 or min(self.height, self.width, self.frames, self.per_medium) < 1:
            raise InvalidInputError(
                "height and width must be multiples of 16, frames and windows at least 1; "
                f"got {self.height}x{self.width}, {self.frames} frames, {self.per_medium} windows"
            )


def media_of(folder: Path, rules: MediaRules) -> dict[str, Library]:
    """Read every photo and clip below a folder by itself, by name. Raises InvalidInputError when there is none."""
    suffixes = PHOTO_SUFFIXES + CLIP_SUFFIXES
    names = sorted(path.name for path in folder.rglob("*") if path.suffix.lower() in suffixes and rules.admits(path))
    if not names:
        raise InvalidInputError(f"expected photos or clips in {folder} that match {rules.include}; found none")
    return {name: load_library(folder, replace(rules, include=(name,))) for name in names}


class LayeredWindows:
    """Near objects, cut from `objects`, over every medium: the truth behind them is the medium itself.

    Windows are drawn as they are asked for, always alike: many of them do not fit into memory.
    """

    def __init__(self, media: dict[str, Library], objects: Library, rules: WindowRules) -> None:
        self._media, self._objects, self._rules = media, objects, rules

    def __iter__(self) -> Iterator[Window]:
        for name, library in self._media.items():
            for number in range(self._rules.per_medium):
                rng = np.random.default_rng((_SEED, number, *name.encode()))
                yield _as_window(name, _drawn(rng, library, self._objects, self._rules))


def _drawn(rng: np.random.Generator, library: Library, objects: Library, rules: WindowRules) -> Scene:
    while True:
        scene = layered_scene(rng, library, rules.frames, rules.height, rules.width, objects)
        if (scene.hole & ~scene.edge).mean() >= _LEAST_HOLE:
            return scene


def _as_window(name: str, scene: Scene) -> Window:
    view, truth = (
        torch.from_numpy(np.ascontiguousarray(array.transpose(0, 3, 1, 2))) for array in (scene.view, scene.truth)
    )
    hole, edge, disparity = (torch.from_numpy(array)[:, None] for array in (scene.hole, scene.edge, scene.disparity))
    return Window(name, view, truth, hole, edge, disparity)


def with_estimated_disparity(window: Window, estimator: DepthEstimator) -> Window:
    """Forget the true disparity: the same holes, but what is near is known by estimated depth of the view alone."""
    span = float(window.disparity.max() - window.disparity.min())
    settings = Settings(disparity=min(10.0, 100 * span / window.view.shape[-1]), window=1)
    depth = steady_depth(estimator, window.view)
    disparity = disparity_from_depth(depth, window.view, settings, may_be_normalised=estimator.normalised)
    return replace(window, disparity=disparity)


def projection_windows(
    media: dict[str, Library], estimator: DepthEstimator, max_disparity: float, rules: WindowRules
) -> list[Window]:
    """Punch the holes of the dual projection into footage (PBDP, eq. 8-9), by estimated depth.

    max_disparity  fraction of the width between the nearest and the farthest surface, the paper's 0.02..0.08
    returns one window of every medium, from its middle; a photo stands still. Media whose depth hides nothing
    behind near surfaces are left out
    """
    windows = []
    for name, library in media.items():
        truth = footage(library, rules)
        depth = steady_depth(estimator, truth)
        settings = Settings(disparity=100 * max_disparity, window=1)
        disparity = disparity_from_depth(depth, truth, settings, may_be_normalised=estimator.normalised)
        projection = right_eye_projection(truth, disparity)
        hole = projection.disocclusion
        seen_at = torch.arange(rules.width) + disparity
        edge = hole & ((seen_at < 0) | (seen_at > rules.width - 1))
        if not (hole & ~edge).any():
            continue
        windows.append(Window(name, truth, truth, hole, edge, disparity, projection.view))
    return windows


def footage(library: Library, rules: WindowRules) -> Tensor:
    """Take frames from the middle of a medium, cut to the wanted shape: (T, 3, H, W) float32 0..1."""
    pictures = library.clips[0] if library.clips else library.photos[:1] * rules.frames
    first = max(0, (len(pictures) - rules.frames) // 2)
    frames = [_cut(picture, rules.height, rules.width) for picture in pictures[first : first + rules.frames]]
    return torch.from_numpy(np.stack(frames)).movedim(3, 1).float().div(255).contiguous()


def _cut(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """Cut the middle of a picture in the wanted shape and scale it."""
    tall, wide = picture.shape[:2]
    scale = min(tall / height, wide / width)
    cut_h, cut_w = round(height * scale), round(width * scale)
    top, left = (tall - cut_h) // 2, (wide - cut_w) // 2
    cut = picture[top : top + cut_h, left : left + cut_w]
    return cv2.resize(cut, (width, height), interpolation=cv2.INTER_AREA if scale > 1 else cv2.INTER_CUBIC)
