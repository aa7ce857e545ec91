"""The definition of the warp, plain and slow, one scanline at a time. Every kernel is tested against it.

Along a row the forward map is x' = x - d(x), linear between neighbouring pixels (eq. 1). Where it tears or folds the
row is cut into surfaces (`reference_edges.py`); a slanted edge is followed at two heights of its row. In every target
column the nearest surface wins: at a fixed column that of largest disparity is that of largest source column. A target
pixel that the surface covers in part shows the next surface in the rest, and the continued background where there is
none. Columns whose centre no surface covers are disoccluded. Arithmetic is float32, as in the kernels, so that all of
them cut at the same places.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor

import numpy as np

from model.warp.reference_edges import (
    HALF,
    HEIGHTS,
    ZERO,
    Cut,
    Row,
    Run,
    find_runs,
    fit_cuts,
    measure_cuts,
    unmix_edges,
)

MIRROR_SPEED = np.float32(0.5)


@dataclass(frozen=True)
class Sample:
    """What a run shows in one target column.

    pixel, fraction  where in the source: so far, 0..1, from `pixel` to the next
    disparity        px
    left, right      px: where the run's edges lie, from the target pixel's centre
    """

    run: Run
    pixel: int
    fraction: np.float32
    disparity: np.float32
    left: np.float32
    right: np.float32

    @property
    def covers_center(self) -> bool:
        """True when the target pixel's centre is covered."""
        return bool(self.left <= 0 < self.right)

    def interval(self, height: np.float32) -> tuple[np.float32, np.float32]:
        """The covered part of the target pixel, from its centre, at a height of the row."""
        left = self.left + height * self.run.left_slope
        right = self.right + height * self.run.right_slope
        return np.clip(left, -HALF, HALF), np.clip(right, -HALF, HALF)


def warp_frames(
    image: np.ndarray, disparity: np.ndarray, threshold: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Warp frames row by row.

    image      (T, C, H, W) float32
    disparity  (T, 1, H, W) float32, px, finite
    returns    view (T, C, H, W) float32, disocclusion (T, 1, H, W) bool, disparity (T, 1, H, W) float32
    """
    view, new_disparity = np.empty_like(image), np.empty_like(disparity)
    disocclusion = np.empty(disparity.shape, dtype=bool)
    # Colours beyond 1e19 overflow when squared: no edge estimate.
    with np.errstate(over="ignore", invalid="ignore"):
        for t in range(image.shape[0]):
            measured = [measure_cuts(image[t, :, y], disparity[t, 0, y], threshold) for y in range(image.shape[2])]
            for y, neighbours in enumerate(zip([[], *measured], measured, [*measured[1:], []], strict=False)):
                row = warp_row(image[t, :, y], disparity[t, 0, y], fit_cuts(*neighbours))
                view[t, :, y], disocclusion[t, 0, y], new_disparity[t, 0, y] = row
    return view, disocclusion, new_disparity


def warp_row(mixed: Row, disparity: Row, cuts: list[Cut]) -> tuple[Row, Row, Row]:
    """Warp one scanline.

    mixed      (C, W) float32: the image row
    disparity  (W,) float32, px
    returns    view (C, W), disocclusion (W,) bool, disparity (W,)
    """
    width = disparity.size
    runs = find_runs(cuts, width)
    colour = unmix_edges(mixed, cuts, runs)
    reached = [[] for _ in range(width)]  # of each target column: samples, farthest first
    for run in (run for run in runs if not run.hidden):
        for column in _columns(run, disparity, width):
            reached[column].append(invert(run, disparity, column))
    owners = [_last([s for s in samples if s.covers_center]) for samples in reached]
    view, new_disparity = np.empty_like(colour), np.empty_like(disparity)
    for column in range(width):
        background, owner = _background(owners, disparity, column), owners[column]
        view[:, column] = _composite(reached[column], owner, colour, interpolate(colour, background))
        new_disparity[column] = background.disparity if owner is None else owner.disparity
    return view, np.array([owner is None for owner in owners]), new_disparity


def _columns(run: Run, disparity: Row, width: int) -> range:
    """Target columns whose pixels the run touches at any height."""
    left = (run.left - disparity[run.first]) - HEIGHTS[1] * abs(run.left_slope)
    right = (run.right - disparity[run.last]) + HEIGHTS[1] * abs(run.right_slope)
    begin = run.first + max(floor(left - HALF) + 1, -3 * width)
    end = run.last + min(ceil(right + HALF), 3 * width)
    return range(max(begin, 0), min(end, width))


def invert(run: Run, disparity: Row, column: int) -> Sample:
    """Invert the map of one run at one target column (eq. 3); beyond its end pixels the run continues flat."""
    pixel = run.first
    while pixel < run.last and column - (pixel + 1) >= -disparity[pixel + 1]:
        pixel += 1
    from_pixel = np.float32(column - pixel) + disparity[pixel]
    step = disparity[pixel + 1] - disparity[pixel] if pixel < run.last else ZERO
    fraction = np.clip(from_pixel / (1 - step), 0, 1) if pixel < run.last and from_pixel > 0 else ZERO
    return Sample(
        run=run,
        pixel=pixel,
        fraction=fraction,
        disparity=disparity[pixel] + fraction * step,
        left=np.float32(run.first - column) + (run.left - disparity[run.first]),
        right=np.float32(run.last - column) + (run.right - disparity[run.last]),
    )


def _composite(samples: list[Sample], owner: Sample | None, colour: Row, background: Row) -> Row:
    """Blend the two nearest surfaces of a target pixel by the part each covers, the rest with the background."""
    nearest = samples[:-3:-1]
    if owner is not None and owner not in nearest:
        nearest[1] = owner  # two slivers lie in front of the surface at the pixel's centre
    parts = [ZERO] * len(nearest)
    for height in HEIGHTS:
        taken = (ZERO, ZERO)
        for index, sample in enumerate(nearest):
            left, right = sample.interval(height)
            hidden = max(min(right, taken[1]) - max(left, taken[0]), 0) if taken[1] > taken[0] else 0
            parts[index] += HALF * max(max(right - left, ZERO) - np.float32(hidden), ZERO)
            taken = (left, right)
    rest = max(1 - sum(parts, ZERO), ZERO)
    shown = [interpolate(colour, sample) for sample in nearest]
    return sum(
        (part * one for part, one in zip([*parts, rest], [*shown, background], strict=True)), np.zeros_like(background)
    )


def interpolate(colour: Row, sample: Sample) -> Row:
    """Sample Catmull-Rom (eq. 4) with taps that never leave the run, so that no surface bleeds into another."""
    t, run = sample.fraction, sample.run
    weights = (
        t * (-0.5 + t * (1 - 0.5 * t)),
        1 + t * t * (-2.5 + 1.5 * t),
        t * (0.5 + t * (2 - 1.5 * t)),
        t * t * (-0.5 + 0.5 * t),
    )
    taps = [min(max(sample.pixel + tap, run.first), run.last) for tap in (-1, 0, 1, 2)]
    return sum((w * colour[:, tap] for w, tap in zip(weights, taps, strict=True)), np.zeros_like(colour[:, 0]))


def _background(owners: list[Sample | None], disparity: Row, column: int) -> Sample:
    """Continue the farther of the surfaces seen next on the left and right, mirrored about its end at half speed."""
    before, after = _last([o for o in owners[:column] if o]), next((o for o in owners[column + 1 :] if o), None)
    ends = [(after.run, after.run.first)] if after else []
    ends += [(before.run, before.run.last)] if before else []
    if not ends:  # the row left the frame entirely: continue its farthest surface
        farthest = disparity.min()
        pixel = int(np.clip(np.round(np.float32(column) + farthest), 0, disparity.size - 1))
        return _still(_only(pixel), pixel, ZERO, farthest)
    run, end = min(ends, key=lambda candidate: disparity[candidate[1]])
    away = np.float32(end - column) - disparity[end]
    inside = np.copysign(MIRROR_SPEED * max(abs(away) - 1, ZERO), away)
    pixel = end + floor(inside)
    if not run.first <= pixel < run.last:
        return _still(run, min(max(pixel, run.first), run.last), ZERO, disparity[end])
    return _still(run, pixel, inside - np.floor(inside), disparity[end])


def _only(pixel: int) -> Run:
    """A run of one pixel."""
    return Run(pixel, pixel, ZERO, ZERO, ZERO, ZERO, hidden=True)


def _still(run: Run, pixel: int, fraction: np.float32, disparity: np.float32) -> Sample:
    return Sample(run, pixel, fraction, disparity, np.float32(-0.5), np.float32(0.5))


def _last(samples: list[Sample]) -> Sample | None:
    return samples[-1] if samples else None
