"""The nearest and the farthest depth of each frame, so that disparity neither pumps nor jumps.

Depth that keeps within 0..1 is normalised: 0 and 1 are the ends of its scale, whatever is in the frame, so the
disparity of a static point does not move at all when something nearer enters. Depth in any other unit has no scale of
its own; its ends are robust percentiles at the anchors of the clip (anchors.py). A frame between two anchors is mapped
with the range of each, and the two disparities are blended: with disparities D px apart a static point moves by
D / 13 px a frame in windows of 17, evenly, and by as little as any window-local rule can reach.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from model.depth.anchors import find_anchors

TAIL = 0.005
"""Fraction of the pixels at each end that may be outliers: their values do not move the range."""

_DIMMEST = 1 / 32
"""Largest value below which depth within 0..1 is not normalised but in a unit that makes it small, such as 1/m."""

_MAX_SAMPLES = 1 << 16


@dataclass(frozen=True)
class Ranges:
    """Ranges by which the frames of a window are mapped; the results are blended.

    farthest, nearest  (T, R) float64, farthest <= nearest
    share              (T, R) float64, how much each range counts; sums to 1 over R = 1 or 2
    """

    farthest: Tensor
    nearest: Tensor
    share: Tensor


def fixed_range(farthest: float, nearest: float, count: int) -> Ranges:
    """One range for all of `count` frames."""
    ends = (torch.full((count, 1), end, dtype=torch.float64) for end in (farthest, nearest))
    return Ranges(*ends, share=torch.ones(count, 1, dtype=torch.float64))


def automatic_range(
    nearness: Tensor, window: int, first_frame: int = 0, cuts: tuple[int, ...] = (), *, may_be_normalised: bool = True
) -> Ranges:
    """Measure the ranges of a window.

    nearness     (T, 1, h, w)  float32, any range, finite, larger is nearer; normalised depth may come negated
    window       frames in a window (`Settings.window`)
    first_frame  number of the first frame
    cuts         indices into the window of frames that start a new shot
    may_be_normalised  False: values within 0..1 are in a unit like any other and are stretched
    """
    anchors = find_anchors(nearness.shape[0], window, first_frame, cuts)
    scale = full_scale if may_be_normalised else tuple
    ends = anchors.measured(lambda t: scale(extent(nearness[t])))  # (T, 2, 2)
    farthest, nearest = torch.from_numpy(ends).unbind(dim=-1)
    if bool((ends[:, 0] == ends[:, 1]).all()):
        return Ranges(farthest[:, :1], nearest[:, :1], torch.ones(len(ends), 1, dtype=torch.float64))
    return Ranges(farthest, nearest, torch.from_numpy(anchors.share))


def full_scale(ends: tuple[float, float]) -> tuple[float, float]:
    """Widen the extent of normalised depth, negated or not, to its full scale; other extents stay."""
    farthest, nearest = ends
    seems_normalised = farthest == nearest or max(abs(farthest), abs(nearest)) >= _DIMMEST
    if seems_normalised and farthest >= 0 and nearest <= 1:
        return 0.0, 1.0
    if seems_normalised and farthest >= -1 and nearest <= 0:
        return -1.0, 0.0
    return ends


def extent(nearness: Tensor) -> tuple[float, float]:
    """Measure the farthest and the nearest value of one frame (1, h, w), outliers left out.

    A scene that is flat but for something smaller than an outlier gets the range of all its values instead: the only
    wire in front of a wall is what there is to see.
    """
    values = nearness.flatten()
    stride = -(-values.numel() // _MAX_SAMPLES)
    ordered = np.sort(values[::stride].numpy(force=True))
    tail = int(TAIL * (ordered.size - 1))
    low, high = float(ordered[tail]), float(ordered[-1 - tail])
    return (low, high) if high > low else (float(values.min()), float(values.max()))
