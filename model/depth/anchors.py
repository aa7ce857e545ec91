"""Measurements that must neither pump nor depend on the order of requests: taken at anchors, interpolated between.

Frames that are multiples of K (the number of frames that a window keeps) are anchors. Window w holds the anchors
w·K and (w+1)·K and the two frames before and one after each, so two neighbouring windows measure their common
anchor on the same frames and agree at their border. A cut ends it: frames look only at anchors of their own shot,
and a shot without an anchor at its own first frame.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from model.window import CONTEXT_FRAMES, context_of

_AROUND = range(-CONTEXT_FRAMES, CONTEXT_FRAMES)
"""Offsets of the frames that both windows around an anchor contain."""


def between_anchors(
    measure: Callable[[int], float], count: int, window: int, first_frame: int, cuts: tuple[int, ...]
) -> np.ndarray:
    """Interpolate a measurement of single frames over a run of frames.

    measure      frame index in the run -> value; called for few of them
    count        frames in the run
    window       frames in a window (`Settings.window`)
    first_frame  number of the first frame of the run
    cuts         indices of frames that start a new shot, ascending
    returns      (count,) float64; before the first and after the last anchor of a shot the value is held
    """
    spacing = window - 2 * context_of(window)
    values = np.empty(count)
    starts = [0, *cuts, count]
    for start, end in pairwise(starts):
        shot = range(start, end)
        anchors = [t for t in shot if (first_frame + t) % spacing == 0] or [start]
        around = _AROUND if spacing > 1 else range(1)
        at_anchors = [np.median([measure(t + offset) for offset in around if t + offset in shot]) for t in anchors]
        values[start:end] = np.interp(shot, anchors, at_anchors)
    return values
