"""The scale of each frame's depth, so that disparity neither pumps nor jumps.

Percentiles are measured at the anchors of the clip (anchors.py), and each anchor has a scale (scale.py). A frame
between two anchors is mapped by the scale of each, and the two results are blended. What enters and leaves does not
change the scales; where the background itself changes, as when a camera walks through a door, disparity moves evenly
over the 13 frames between anchors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from model.depth.anchors import find_anchors
from model.depth.scale import Linear, Scale, percentiles, scale_of


@dataclass(frozen=True)
class Ranges:
    """For each frame of a window the scales of the anchors before and after it, and how much each counts."""

    scales: Sequence[tuple[Scale, Scale]]
    share: Sequence[tuple[float, float]]

    def mapped(self, values: Tensor, curve: Callable[[Tensor], Tensor]) -> Tensor:
        """Apply scale and curve to oriented depth (T, 1, h, w), blended between anchors."""
        return torch.stack([_blended(*frame, curve) for frame in zip(values, self.scales, self.share, strict=True)])


def _blended(
    values: Tensor, scales: tuple[Scale, Scale], share: tuple[float, float], curve: Callable[[Tensor], Tensor]
) -> Tensor:
    before, after = scales
    if before == after or share[1] == 0:
        return curve(before.nearness(values))
    return share[0] * curve(before.nearness(values)) + share[1] * curve(after.nearness(values))


def fixed_range(farthest: float, nearest: float, count: int) -> Ranges:
    """One scale from `farthest` to `nearest`, in oriented depth, for all of `count` frames."""
    scale = Linear(farthest, nearest)
    return Ranges([(scale, scale)] * count, [(1.0, 0.0)] * count)


def automatic_range(
    nearness: Tensor, window: int, first_frame: int = 0, cuts: tuple[int, ...] = (), *, may_be_normalised: bool = True
) -> Ranges:
    """Measure the scales of a window.

    nearness     (T, 1, h, w)  float32, any range, finite, larger is nearer; distances and normalised depth whose
                               0 is near come negated
    window       frames in a window (`Settings.window`)
    first_frame  number of the first frame
    cuts         indices into the window of frames that start a new shot
    may_be_normalised  False: values within 0..1 are in a unit like any other
    """
    anchors = find_anchors(nearness.shape[0], window, first_frame, cuts)
    measured = anchors.measured(lambda t: percentiles(nearness[t]))  # (T, 2, 3)
    scales = [[scale_of(anchor, may_be_normalised=may_be_normalised) for anchor in frame] for frame in measured]
    return Ranges([(before, after) for before, after in scales], [(a, b) for a, b in anchors.share.tolist()])
