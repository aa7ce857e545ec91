"""The nearest and the farthest depth of each frame: robust percentiles, steady in time (anchors.py)."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor

from model.depth.anchors import between_anchors

TAIL = 0.005
"""Fraction of the pixels at each end that may be outliers: their values do not move the range."""

_MAX_SAMPLES = 1 << 16


def automatic_range(
    nearness: Tensor, window: int, first_frame: int = 0, cuts: tuple[int, ...] = ()
) -> tuple[Tensor, Tensor]:
    """Measure the range of each frame of a window.

    nearness     (T, 1, h, w)  float32, any range, finite, larger is nearer
    window       frames in a window (`Settings.window`)
    first_frame  number of the first frame
    cuts         indices into the window of frames that start a new shot
    returns      farthest, nearest: (T,) float64 each, farthest <= nearest
    """

    @cache
    def measured(t: int) -> tuple[float, float]:
        return extent(nearness[t])

    where = (nearness.shape[0], window, first_frame, cuts)
    farthest = between_anchors(lambda t: measured(t)[0], *where)
    nearest = between_anchors(lambda t: measured(t)[1], *where)
    return torch.from_numpy(farthest), torch.from_numpy(nearest)


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
