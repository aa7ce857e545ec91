"""From the robust percentiles of depth to nearness 0..1, such that what enters before a background does not move it.

Depth that keeps within 0..1 is normalised: 0 and 1 are the ends of its scale, whatever is in the frame.

Depth in any other unit has no nearest value of its own. A scale that ends at the nearest thing in the picture moves
everything else when that thing leaves, so the scale is taken from the background: from the farthest value, and from
the reference, the median over the rows of what is far in each row. Something nearer that leaves a twentieth of each row
free changes neither. Nearness is 0 at the farthest value, 1/2 at the reference and linear in inverse distance between
them, as a camera pair sees; what is nearer than the reference shares the other half, and only the lens itself has 1.

       nearness 1 ┤                  ......·····
                  │           ..···
              1/2 ┤      . ·              u = 1 + (v − reference) / span
                  │   .                   u / 2 up to the reference, 1 − 1/(2u) beyond, of equal slope where they meet
                0 ┼─·─────┬────────────── v
             farthest  reference
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

TAIL = 0.005
"""Fraction of the pixels at each end that may be outliers: their values do not count."""

_FAR_OF_ROW = 0.05
_LEAST_OF_MEAN = 0.75
"""Of the mean over the rows, for the reference: under a sky of more than half the rows the ground still counts."""

_LEAST_SPAN = 0.5
"""Of the reference: a flat wall is no reason to spread its noise over all of the disparity."""

_AT_THE_LENS = 1e-6
_MAX_ROWS, _MAX_COLUMNS = 256, 256


@dataclass(frozen=True)
class Linear:
    """A scale with two ends, farthest < nearest, in oriented depth; values beyond them sit on the ends."""

    farthest: float
    nearest: float

    def nearness(self, values: Tensor) -> Tensor:
        """Map oriented depth of any shape to 0..1."""
        return ((values - self.farthest) / (self.nearest - self.farthest)).clamp(0, 1)


@dataclass(frozen=True)
class Open:
    """A scale without a nearest value; `farthest` and `reference` are inverse distances when `is_distance`."""

    farthest: float
    reference: float
    is_distance: bool

    def nearness(self, values: Tensor) -> Tensor:
        """Map oriented depth of any shape to 0..1."""
        if self.is_distance:
            values = _inverse(values)
        least = _LEAST_SPAN * max(abs(self.farthest), abs(self.reference))
        span = max(self.reference - self.farthest, least) or 1.0
        u = 1 + (values - self.reference) / span
        return torch.where(u < 1, u / 2, 1 - 0.5 / u.clamp(min=1)).clamp(0, 1)


Scale = Linear | Open


def percentiles(nearness: Tensor) -> np.ndarray:
    """Measure one frame: (3,) float64: 1 if it holds distances and else 0, the farthest value, the reference.

    Distances are told by their sign: oriented so that larger is nearer they are negative. Their two values are
    inverse distances.

    nearness  (1, h, w)  float32, finite, larger is nearer
    """
    height, width = nearness.shape[-2:]
    sample = nearness[0, :: -(-height // _MAX_ROWS), :: -(-width // _MAX_COLUMNS)]
    ordered = sample.flatten().sort().values
    tail = int(TAIL * (len(ordered) - 1))
    farthest, nearest = float(ordered[tail]), float(ordered[-1 - tail])
    rows = sample.sort(dim=1).values[:, int(_FAR_OF_ROW * (sample.shape[1] - 1))]
    is_distance = farthest < 0 and nearest <= 0
    if is_distance:
        farthest, rows = float(_inverse(ordered[tail])), _inverse(rows)
    reference = max(float(rows.median()), _LEAST_OF_MEAN * float(rows.double().mean()))
    return np.array([is_distance, farthest, reference])


def scale_of(measured: np.ndarray, *, may_be_normalised: bool) -> Scale:
    """Choose the scale for the `percentiles` of a frame, or medians of those of several.

    may_be_normalised  False: values within 0..1 are in a unit like any other
    """
    is_distance, farthest, reference = bool(measured[0] > 0.5), float(measured[1]), float(measured[2])
    if may_be_normalised and not is_distance and farthest >= 0 and reference <= 1:
        return Linear(0, 1)
    if may_be_normalised and is_distance and farthest >= 1:  # no distance is above 1
        return Linear(-1, 0)
    return Open(farthest, reference, is_distance)


def _inverse(nearness: Tensor) -> Tensor:
    """Inverse distances of distances that come negated; behind the lens is at the lens."""
    return 1 / (-nearness).clamp(min=_AT_THE_LENS)
