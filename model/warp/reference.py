"""The definition of the warp, plain and slow, one scanline at a time. Every kernel is tested against it.

Along a row the forward map is x' = x - d(x), linear between neighbouring pixels (eq. 1). It is cut where it tears
(stretch s = dx'/dx > δ, eq. 7) or folds (s <= 0); a run of pixels without a cut is one surface and reaches from one
edge to the next. In every target column the nearest surface wins: at a fixed column that of largest disparity is that
of largest source column. A target pixel that the surface covers in part shows the next surface in the rest, and the
continued background where there is none. Columns whose centre no surface covers are disoccluded.
Arithmetic is float32, as in the kernels, so that all of them cut at the same places.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from math import ceil, floor

import numpy as np

FOLD_PX = np.float32(0.5)
MIRROR_SPEED = np.float32(0.5)
CONTRAST_FLOOR = np.float32(0.003)
Row = np.ndarray


@dataclass(frozen=True)
class Run:
    """One surface: source pixels first..last, with its edges in px from the centres of those two pixels."""

    first: int
    last: int
    left: np.float32
    right: np.float32
    hidden: bool


@dataclass(frozen=True)
class Sample:
    """What a run shows in one target column: where in the source, how near, and which part of the pixel it covers."""

    run: Run
    pixel: int
    fraction: np.float32
    disparity: np.float32
    left: np.float32
    right: np.float32

    @property
    def touches(self) -> bool:
        """True when any of the target pixel is covered."""
        return bool(self.left < 0.5 and self.right > -0.5)

    @property
    def covers_center(self) -> bool:
        """True when the target pixel's centre is covered."""
        return bool(self.left <= 0 < self.right)

    @property
    def interval(self) -> tuple[np.float32, np.float32]:
        """The covered part of the target pixel, from its centre."""
        return np.clip(self.left, -0.5, 0.5), np.clip(self.right, -0.5, 0.5)


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
    for t, y in np.ndindex(image.shape[0], image.shape[2]):
        with np.errstate(
            over="ignore", invalid="ignore"
        ):  # colours beyond 1e19 overflow when squared: no edge estimate
            row = warp_row(image[t, :, y], disparity[t, 0, y], threshold)
        view[t, :, y], disocclusion[t, 0, y], new_disparity[t, 0, y] = row
    return view, disocclusion, new_disparity


def warp_row(mixed: Row, disparity: Row, threshold: float) -> tuple[Row, Row, Row]:
    """Warp one scanline.

    mixed      (C, W) float32: the image row
    disparity  (W,) float32, px
    returns    view (C, W), disocclusion (W,) bool, disparity (W,)
    """
    width = disparity.size
    colour, runs = refine_edges(mixed, find_runs(disparity, threshold))
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


def find_runs(disparity: Row, threshold: float) -> list[Run]:
    """Cut a row into surfaces that reach half a pixel beyond their end pixels."""
    step = disparity[1:] - disparity[:-1]
    torn = np.concatenate([[False], 1 - step > np.float32(threshold), [False]])  # torn[i]: before pixel i
    folded = np.concatenate([[True], step >= FOLD_PX, [True]])
    half = np.float32(0.5)
    return [
        # A single pixel between two tears is part of a soft edge and no surface.
        Run(int(first), int(after) - 1, -half, half, hidden=bool(after - first == 1 and torn[first] and torn[after]))
        for first, after in pairwise(np.flatnonzero(torn | folded))
    ]


def refine_edges(mixed: Row, runs: list[Run]) -> tuple[Row, list[Run]]:
    """Move every edge between two runs to where the colours say it lies, and un-mix the pixel it lies in.

    With alpha the part of the left surface in a pixel, the two pixels beside the edge hold the sum of their alphas of
    it; an edge in the middle has one.
    """
    colour, refined = mixed.copy(), list(runs)
    for index, (a, b) in enumerate(pairwise(runs)):
        pure_a, pure_b = mixed[:, max(a.last - 1, a.first)], mixed[:, min(b.first + 1, b.last)]
        difference = pure_a - pure_b
        contrast = (difference * difference).sum()
        alphas = [
            np.clip(((mixed[:, pixel] - pure_b) * difference).sum() / max(contrast, np.float32(1e-12)), 0, 1)
            for pixel in (a.last, b.first)
        ]
        edge = np.clip((alphas[0] + alphas[1] - 1) * (contrast / (contrast + CONTRAST_FLOOR)), -0.5, 0.5)
        edge = np.float32(edge if np.isfinite(edge) else 0)
        if edge < 0:
            colour[:, a.last] = _unmix(mixed[:, a.last], pure_a, pure_b, -edge)
        if edge > 0:
            colour[:, b.first] = _unmix(mixed[:, b.first], pure_b, pure_a, edge)
        refined[index] = replace(refined[index], right=edge + np.float32(0.5))
        refined[index + 1] = replace(refined[index + 1], left=edge - np.float32(0.5))
    return colour, refined


def _unmix(mixed: Row, pure: Row, other: Row, part: np.float32) -> Row:
    """Take `part` of the other surface out of a pixel, at most as far as its own side's pure colour."""
    alone = (mixed - part * other) / (1 - part)
    return np.clip(alone, np.minimum(mixed, pure), np.maximum(mixed, pure))


def _columns(run: Run, disparity: Row, width: int) -> range:
    """Target columns whose pixels the run touches."""
    begin = run.first + max(floor(run.left - disparity[run.first] - np.float32(0.5)) + 1, -3 * width)
    end = run.last + min(ceil(run.right - disparity[run.last] + np.float32(0.5)), 3 * width)
    return range(max(begin, 0), min(end, width))


def invert(run: Run, disparity: Row, column: int) -> Sample:
    """Invert the map of one run at one target column (eq. 3); beyond its end pixels the run continues flat."""
    pixel = run.first
    while pixel < run.last and column - (pixel + 1) >= -disparity[pixel + 1]:
        pixel += 1
    from_pixel = np.float32(column - pixel) + disparity[pixel]
    step = disparity[pixel + 1] - disparity[pixel] if pixel < run.last else np.float32(0)
    fraction = np.clip(from_pixel / (1 - step), 0, 1) if pixel < run.last and from_pixel > 0 else np.float32(0)
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
    touching = [sample for sample in samples if sample.touches]
    nearest = touching[:-3:-1]
    if owner is not None and owner not in nearest:
        nearest[1] = owner  # two slivers lie in front of the surface at the pixel's centre
    taken = (np.float32(0), np.float32(0))
    rest, total = np.float32(1), np.zeros_like(background)
    for sample in nearest:
        left, right = sample.interval
        hidden = max(min(right, taken[1]) - max(left, taken[0]), 0) if taken[1] > taken[0] else 0
        part = max((right - left) - np.float32(hidden), np.float32(0))
        total += part * interpolate(colour, sample)
        rest -= part
        taken = (left, right)
    return total + max(rest, np.float32(0)) * background


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
        return _still(Run(pixel, pixel, np.float32(0), np.float32(0), hidden=True), pixel, np.float32(0), farthest)
    run, end = min(ends, key=lambda candidate: disparity[candidate[1]])
    away = np.float32(end - column) - disparity[end]
    inside = np.copysign(MIRROR_SPEED * max(abs(away) - 1, np.float32(0)), away)
    pixel = end + floor(inside)
    if not run.first <= pixel < run.last:
        return _still(run, min(max(pixel, run.first), run.last), np.float32(0), disparity[end])
    return _still(run, pixel, inside - np.floor(inside), disparity[end])


def _still(run: Run, pixel: int, fraction: np.float32, disparity: np.float32) -> Sample:
    return Sample(run, pixel, fraction, disparity, np.float32(-0.5), np.float32(0.5))


def _last(samples: list[Sample]) -> Sample | None:
    return samples[-1] if samples else None
