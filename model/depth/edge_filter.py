"""Smooth inside objects, sharp at their edges: the recursive domain transform (Gastal and Oliveira, 2011).

A value spreads along rows and columns and loses strength at each step, most where the picture's colour changes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_ROUNDS = 2


@dataclass(frozen=True)
class Resistance:
    """How far apart neighbouring pixels are: 1 px plus what their colours add. down (T,h-1,w), across (T,h,w-1)."""

    down: np.ndarray
    across: np.ndarray


def resistance_of(picture: np.ndarray, reach_px: float, colour_reach: float) -> Resistance:
    """Measure the resistance of pictures (T, h, w, 3) in 0..1; a colour step of `colour_reach` ends the reach."""
    down, across = (np.abs(np.diff(picture, axis=axis)).sum(axis=-1) for axis in (1, 2))
    return Resistance(1 + reach_px / colour_reach * down, 1 + reach_px / colour_reach * across)


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
    for i in range(1, len(line)):
        line[i] += kept[i - 1] * (line[i - 1] - line[i])
    for i in range(len(line) - 2, -1, -1):
        line[i] += kept[i] * (line[i + 1] - line[i])
    return np.moveaxis(line, 0, axis)
