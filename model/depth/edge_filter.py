"""Smooth inside objects, sharp at their edges: the recursive domain transform (Gastal and Oliveira, 2011).

A value spreads along rows and columns and loses strength at each step, most where the picture's colour changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from model.depth.frames import channel_sum, each

_ROUNDS = 2
_TEXTURE_PX = 5


@dataclass(frozen=True)
class Resistance:
    """How far apart neighbouring pixels are: 1 px plus what their colours add. down (T,h-1,w), across (T,h,w-1)."""

    down: np.ndarray
    across: np.ndarray


def resistance_of(picture: np.ndarray, reach_px: float, colour_reach: float) -> Resistance:
    """Measure the resistance of pictures (T, h, w, 3) in 0..1; a colour step of `colour_reach` ends the reach.

    Texture must not stop the spread: its gradients cancel out over a few px, those of an object's edge add up, so
    each step counts by the square of what is left (relative total variation, Xu et al. 2012).
    """
    down, across = (np.stack(each(lambda frame, axis=axis: _lasting_steps(frame, axis), picture)) for axis in (0, 1))
    return Resistance(1 + reach_px / colour_reach * down, 1 + reach_px / colour_reach * across)


def _lasting_steps(frame: np.ndarray, axis: int) -> np.ndarray:
    """Colour steps between neighbours along `axis` that are no texture, summed over the channels."""
    step = np.diff(frame, axis=axis)
    if step.size == 0:
        return channel_sum(step)
    size = np.abs(step)
    left, most = (cv2.blur(s, (_TEXTURE_PX, _TEXTURE_PX)).reshape(step.shape) for s in (step, size))
    return channel_sum(size * np.square(left / (most + 1e-3)))


def edge_aware_mean(values: np.ndarray, weights: np.ndarray, resistance: Resistance, reach_px: float) -> np.ndarray:
    """Average `values` (T, h, w) by `weights` (T, h, w, > 0 somewhere) over their surroundings up to edges."""
    spread = np.stack((values * weights, weights))
    for number in range(_ROUNDS):
        # each round halves its reach; together their variances are reach_px²
        reach = reach_px * 3**0.5 * 2.0 ** (_ROUNDS - number - 1) / (4.0**_ROUNDS - 1) ** 0.5
        spread = _spread_along(spread, resistance.across, 3, reach)
        spread = _spread_along(spread, resistance.down, 2, reach)
    return spread[0] / np.maximum(spread[1], 1e-12)


def _spread_along(values: np.ndarray, resistance: np.ndarray, axis: int, reach: float) -> np.ndarray:
    """Run the recursive filter forwards and backwards along one axis of (2, T, h, w)."""
    kept = np.ascontiguousarray(np.moveaxis(np.exp(-(2**0.5) / reach * resistance), axis - 1, 0), dtype=np.float32)
    line = np.ascontiguousarray(np.moveaxis(values, axis, 0), dtype=np.float32)  # (n, 2, T, other)
    change = np.empty_like(line[0])
    for target, source, step in _there_and_back(len(line)):
        np.subtract(line[source], line[target], out=change)
        change *= kept[step]
        line[target] += change
    return np.moveaxis(line, 0, axis)


def _there_and_back(length: int) -> Iterator[tuple[int, int, int]]:
    """Target, source and the step between them, for a pass forwards and one backwards."""
    yield from ((i, i - 1, i - 1) for i in range(1, length))
    yield from ((i, i + 1, i) for i in range(length - 2, -1, -1))
