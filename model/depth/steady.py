"""Steady in time: each pixel's value averaged along its path through the neighbouring frames, both ways."""

from __future__ import annotations

import numpy as np

from model.depth.motion import Flow, follow

_COLOUR_NOISE = 0.06  # summed over RGB: a path whose colour changes by more has left its surface


def steady(values: np.ndarray, picture: np.ndarray, flow: Flow, rounds: int) -> np.ndarray:
    """Smooth maps in time along the flow; `rounds` is how many frames each way they see.

    values   (T, h, w)     float32
    picture  (T, h, w, 3)  float32, 0..1
    returns  (T, h, w)     float32; all frames advance together, so no order of computing them matters
    """
    trust = [_trusts(picture, flow, t) for t in range(len(values))]
    for _ in range(rounds):
        values = np.stack([_step(values, flow, t, trust[t]) for t in range(len(values))])
    return values


def _trusts(picture: np.ndarray, flow: Flow, t: int) -> tuple[np.ndarray | None, np.ndarray | None]:
    """How far the previous and the next frame show the same surface as frame t: (h, w) each, 0..1."""
    previous, following = flow.backward[t], flow.forward[t]
    return (
        None if previous is None else _same_surface(picture[t], follow(picture[t - 1], previous)),
        None if following is None else _same_surface(picture[t], follow(picture[t + 1], following)),
    )


def _same_surface(own: np.ndarray, other: np.ndarray) -> np.ndarray:
    difference = np.abs(own - other).sum(axis=-1)
    return np.exp(-((difference / (2 * _COLOUR_NOISE)) ** 2)).astype(np.float32)


def _step(values: np.ndarray, flow: Flow, t: int, trust: tuple[np.ndarray | None, np.ndarray | None]) -> np.ndarray:
    total, weight = values[t].copy(), np.ones_like(values[t])
    for other, path, share in ((t - 1, flow.backward[t], trust[0]), (t + 1, flow.forward[t], trust[1])):
        if path is not None and share is not None:
            total += share * follow(values[other], path)
            weight += share
    return total / weight
