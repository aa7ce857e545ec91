"""Which parts of a window the codec sees: rectangles around the mask, each with a margin."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

Video = TypeVar("Video", Tensor, NDArray[np.bool_])

_STEP = 4
"""Sides of rectangles are rounded up to this many latents, so that more of them are alike and run as one batch."""


@dataclass(frozen=True)
class Box:
    """A rectangle of latents: rows top..bottom, columns left..right, ends excluded."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def area(self) -> int:
        """In latents of one frame."""
        return (self.bottom - self.top) * (self.right - self.left)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return (self.bottom - self.top, self.right - self.left)

    def cut(self, video: Video, scale: int = 1) -> Video:
        """The part of (..., H, W) inside the box; `scale` pixels a latent."""
        return video[..., self.top * scale : self.bottom * scale, self.left * scale : self.right * scale]

    def within(self, outer: Box) -> Box:
        """The same place, counted from the corner of `outer`."""
        return Box(self.top - outer.top, self.left - outer.left, self.bottom - outer.top, self.right - outer.left)


@dataclass(frozen=True)
class Crop:
    """What is wanted, and the box around it that the codec is shown."""

    core: Box
    shown: Box


def plan_crops(needed: Tensor, margin: int) -> list[Crop]:
    """Cover the needed latents with few and small crops.

    needed   (h, w) bool
    margin   latents shown on each side of a core, less at the frame's border, where the codec pads as it always does
    returns  crops whose cores hold every needed latent; one crop of everything where that is no more work

    A rectangle is cut in two wherever the two, margins included, are smaller than the one, and again.
    """
    grid = needed.cpu().numpy()
    if not grid.any():
        return []
    frame = Box(0, 0, *grid.shape)
    crops = [Crop(core, _shown(core, margin, frame)) for core in _cut(grid, _bounds(grid, frame), margin, frame)]
    if sum(crop.shown.area for crop in crops) >= frame.area:
        return [Crop(frame, frame)]
    return crops


def batches(crops: list[Crop], largest: int) -> list[list[Crop]]:
    """Group crops of one size, at most `largest` latents of one frame in a group, but at least one crop."""
    alike: dict[tuple[int, int], list[Crop]] = {}
    for crop in crops:
        alike.setdefault(crop.shown.size, []).append(crop)
    groups = []
    for size, members in alike.items():
        count = max(1, largest // (size[0] * size[1]))
        groups += [members[start : start + count] for start in range(0, len(members), count)]
    return groups


def share(crops: list[Crop], grid: tuple[int, int]) -> float:
    """Latents that the codec computes, as a share of all."""
    return sum(crop.shown.area for crop in crops) / (grid[0] * grid[1])


def _cut(grid: NDArray, box: Box, margin: int, frame: Box) -> list[Box]:
    """Cut a tight box in two where that saves most, and the parts again."""
    best, parts = _shown(box, margin, frame).area, None
    for halves in _halves(box):
        if not all(half.cut(grid).any() for half in halves):
            continue  # tight boxes have none, but rounding may leave an empty rim
        tight = [_bounds(grid, half) for half in halves]
        area = sum(_shown(part, margin, frame).area for part in tight)
        if area < best:
            best, parts = area, tight
    return [box] if parts is None else [core for part in parts for core in _cut(grid, part, margin, frame)]


def _halves(box: Box) -> Iterator[tuple[Box, Box]]:
    for y in range(box.top + _STEP, box.bottom, _STEP):
        yield replace(box, bottom=y), replace(box, top=y)
    for x in range(box.left + _STEP, box.right, _STEP):
        yield replace(box, right=x), replace(box, left=x)


def _bounds(grid: NDArray, box: Box) -> Box:
    """The smallest box around what is marked inside `box`."""
    inside = box.cut(grid)
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    top, bottom, left, right = (int(place) for place in (rows[0], rows[-1] + 1, columns[0], columns[-1] + 1))
    return Box(box.top + top, box.left + left, box.top + bottom, box.left + right)


def _shown(core: Box, margin: int, frame: Box) -> Box:
    top, bottom = _widened(core.top, core.bottom, margin, frame.bottom)
    left, right = _widened(core.left, core.right, margin, frame.right)
    return Box(top, left, bottom, right)


def _widened(start: int, end: int, margin: int, limit: int) -> tuple[int, int]:
    """Add the margin on both sides and round the length up to _STEP, inside 0..limit."""
    low, high = max(0, start - margin), min(limit, end + margin)
    high = min(limit, low + -(-(high - low) // _STEP) * _STEP)
    return max(0, high - -(-(high - low) // _STEP) * _STEP), high
