"""Measurements that must neither pump nor depend on the order of requests: taken at anchors, blended between.

Frames that are multiples of K (the number of frames that a window keeps) are anchors. Window w holds the anchors
w·K and (w+1)·K and the two frames before and one after each, so two neighbouring windows measure their common
anchor on the same frames and agree at their border. A cut ends it: frames look only at anchors of their own shot,
and a shot without an anchor at its own first frame.

What is blended moves by D / K a frame when two anchors lie D apart, and no way of blending does better: two windows
share only the frames around their common anchor, so what differs between two anchors must be gone through within the K
frames between them. What must stand still has to be measured so that it does not differ (scale.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from model.window import CONTEXT_FRAMES, context_of

_AROUND = range(-CONTEXT_FRAMES, CONTEXT_FRAMES)
"""Offsets of the frames that both windows around an anchor contain."""


@dataclass(frozen=True)
class Anchors:
    """The anchors before and after each frame of a run; the same one twice where its value is held.

    around  (T, 2) lists of the frames that are measured for an anchor
    share   (T, 2) float64, how much each anchor counts; sums to 1
    """

    around: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]
    share: np.ndarray

    def measured(self, measure: Callable[[int], ArrayLike]) -> np.ndarray:
        """Measure at the anchors: frame index -> value (...) becomes (T, 2, ...) float64; called for few frames."""
        medians: dict[tuple[int, ...], np.ndarray] = {}
        for frames in {frames for pair in self.around for frames in pair}:
            medians[frames] = np.median([np.asarray(measure(t), np.float64) for t in frames], axis=0)
        return np.array([[medians[frames] for frames in pair] for pair in self.around])


def find_anchors(count: int, window: int, first_frame: int, cuts: tuple[int, ...]) -> Anchors:
    """Find the anchors of a run of frames.

    count        frames in the run
    window       frames in a window (`Settings.window`)
    first_frame  number of the first frame of the run
    cuts         indices of frames that start a new shot, ascending
    """
    spacing = window - 2 * context_of(window)
    offsets = _AROUND if spacing > 1 else range(1)
    around, share = [], np.empty((count, 2))
    for start, end in pairwise([0, *cuts, count]):
        shot = range(start, end)
        anchors = [t for t in shot if (first_frame + t) % spacing == 0] or [start]
        frames_of = [tuple(t + offset for offset in offsets if t + offset in shot) for t in anchors]
        position = np.interp(shot, anchors, range(len(anchors)))
        before = np.floor(position).astype(int)
        after = np.minimum(before + 1, len(anchors) - 1)
        around += [(frames_of[a], frames_of[b]) for a, b in zip(before, after, strict=True)]
        share[start:end, 1] = position - before
    share[:, 0] = 1 - share[:, 1]
    return Anchors(tuple(around), share)


def between_anchors(measure: Callable[[int], float], anchors: Anchors) -> np.ndarray:
    """Interpolate a measurement of single frames over a run: (T,) float64, held before the first and after the last."""
    return (anchors.measured(measure) * anchors.share).sum(axis=1)
