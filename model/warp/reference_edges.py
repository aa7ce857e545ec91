"""Which surfaces a row consists of in the definition of the warp, and where their edges lie: cuts, runs, un-mixing.

A row is cut where its forward map tears (stretch s = dx'/dx > δ, eq. 7) or folds (s <= 0); a run of pixels without a
cut is one surface. Edges are placed by colour and fitted to those of the rows above and below.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

FOLD_PX = np.float32(0.5)
CONTRAST_FLOOR = np.float32(0.003)
EDGE_REACH = 4
LARGEST_BEND = np.float32(2)
HEIGHTS = (np.float32(-0.25), np.float32(0.25))
ZERO, HALF = np.float32(0), np.float32(0.5)
Row = np.ndarray


@dataclass(frozen=True)
class Cut:
    """Where one surface ends and the next begins: between `pixel` and the next, `offset` px from their middle.

    `offset` is that at the height of the row; in the row below it is `slope` px more.
    """

    pixel: int
    folded: bool
    offset: np.float32
    slope: np.float32 = ZERO


@dataclass(frozen=True)
class Run:
    """One surface: source pixels first..last, with its edges in px from the centres of those two pixels."""

    first: int
    last: int
    left: np.float32
    right: np.float32
    left_slope: np.float32
    right_slope: np.float32
    hidden: bool


def measure_cuts(mixed: Row, disparity: Row, threshold: float) -> list[Cut]:
    """Cut a row into surfaces, each cut where the colours of this row say that the edge lies.

    mixed      (C, W) float32: the image row, whose edge pixels hold colours of both surfaces
    disparity  (W,) float32, px, finite
    threshold  stretch above which the row is torn (eq. 7)

    With alpha the part of the left surface in a pixel, the two pixels beside the edge hold the sum of their alphas of
    it; an edge in the middle has one. The next pixel inside its run shows the pure colour of a side.
    """
    step = disparity[1:] - disparity[:-1]
    folded = step >= FOLD_PX
    pixels = np.flatnonzero(folded | (1 - step > np.float32(threshold))).tolist()
    cuts = []
    for before, pixel, after in zip([-1, *pixels], pixels, [*pixels[1:], disparity.size - 1], strict=False):
        pure_left, pure_right = mixed[:, max(pixel - 1, before + 1)], mixed[:, min(pixel + 2, after)]
        difference = pure_left - pure_right
        contrast = (difference * difference).sum()
        alphas = [
            np.clip(((mixed[:, side] - pure_right) * difference).sum() / max(contrast, np.float32(1e-12)), 0, 1)
            for side in (pixel, pixel + 1)
        ]
        offset = np.clip((alphas[0] + alphas[1] - 1) * (contrast / (contrast + CONTRAST_FLOOR)), -0.5, 0.5)
        cuts.append(Cut(pixel, bool(folded[pixel]), np.float32(offset if np.isfinite(offset) else 0)))
    return cuts


def fit_cuts(above: list[Cut], row: list[Cut], below: list[Cut]) -> list[Cut]:
    """Move every cut of a row halfway to the line through its neighbours above and below, and give it that slope."""
    fitted = []
    for cut in row:
        up, down = _nearest_position(cut, above), _nearest_position(cut, below)
        offset, slope = cut.offset, ZERO
        if up is None or down is None:
            slope = cut.offset - up if up is not None else down - cut.offset if down is not None else slope
        elif abs(up + down - 2 * cut.offset) < LARGEST_BEND:
            slope = HALF * (down - up)
            offset = np.clip(HALF * (cut.offset + HALF * (up + down)), -HALF, HALF)
        fitted.append(
            replace(cut, offset=offset, slope=np.clip(slope, np.float32(-EDGE_REACH), np.float32(EDGE_REACH)))
        )
    return fitted


def _nearest_position(cut: Cut, row: list[Cut]) -> np.float32 | None:
    """Where the nearest cut of the same kind lies in another row, px from the middle of this one."""
    reached = [other for other in row if other.folded == cut.folded and abs(other.pixel - cut.pixel) <= EDGE_REACH]
    if not reached:
        return None
    nearest = min(reached, key=lambda other: (abs(other.pixel - cut.pixel), -other.pixel))
    return np.float32(nearest.pixel - cut.pixel) + nearest.offset


def find_runs(cuts: list[Cut], width: int) -> list[Run]:
    """List the surfaces between cuts; the first and last reach half a pixel beyond the frame's end pixels."""
    border = (Cut(-1, True, ZERO), Cut(width - 1, True, ZERO))
    return [
        Run(
            first=a.pixel + 1,
            last=b.pixel,
            left=a.offset - HALF,
            right=b.offset + HALF,
            left_slope=a.slope,
            right_slope=b.slope,
            # A single pixel between two tears is part of a soft edge and no surface.
            hidden=b.pixel - a.pixel == 1 and not a.folded and not b.folded,
        )
        for a, b in pairwise([border[0], *cuts, border[1]])
    ]


def unmix_edges(mixed: Row, cuts: list[Cut], runs: list[Run]) -> Row:
    """Take the other surface's colour out of the two pixels beside every cut of a row (C, W); the same shape out."""
    colour = mixed.copy()
    for cut, (a, b) in zip(cuts, pairwise(runs), strict=True):
        pure_a, pure_b = mixed[:, max(a.last - 1, a.first)], mixed[:, min(b.first + 1, b.last)]
        edges = [cut.offset + height * cut.slope for height in HEIGHTS]
        of_b, of_a = (HALF * sum(np.clip(side * edge, 0, 1) for edge in edges) for side in (-1, 1))
        if of_b > 0:
            colour[:, a.last] = _unmix(mixed[:, a.last], pure_a, pure_b, of_b)
        if of_a > 0:
            colour[:, b.first] = _unmix(mixed[:, b.first], pure_b, pure_a, of_a)
    return colour


def _unmix(mixed: Row, pure: Row, other: Row, part: np.float32) -> Row:
    """Take `part` of the other surface out of a pixel, at most as far as its own side's pure colour."""
    alone = (mixed - part * other) / (1 - part)
    return np.clip(alone, np.minimum(mixed, pure), np.maximum(mixed, pure))
