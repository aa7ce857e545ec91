"""Steady in time: each pixel's value averaged along its path through the neighbouring frames, both ways."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from model.depth.frames import channel_sum, each
from model.depth.motion import Flow, follow

_COLOUR_NOISE = 0.06  # summed over RGB: a path whose colour changes by more has left its surface


@dataclass(frozen=True)
class Neighbour:
    """The way from a frame to the one before or after it.

    path   (h, w, 2) float32, px: where the frame's pixels are there
    trust  (h, w) float32: 1 the same surface is seen there .. 0 another one is
    """

    index: int
    path: np.ndarray
    trust: np.ndarray

    def fetch(self, values: np.ndarray) -> np.ndarray:
        """What a map (h, w) of that frame holds where the pixels of this one went."""
        return follow(values, self.path)


def neighbours(picture: np.ndarray, flow: Flow) -> list[list[Neighbour]]:
    """List for each frame of a window the neighbours in its shot: none to two.

    picture  (T, h, w, 3)  float32, 0..1
    """

    def around(t: int) -> list[Neighbour]:
        found = []
        for index, path in ((t - 1, flow.backward[t]), (t + 1, flow.forward[t])):
            if path is not None:
                # averaged: a surface is trusted as a whole, or its pixels would part company
                difference = cv2.blur(channel_sum(np.abs(picture[t] - follow(picture[index], path))), (5, 5))
                trust = np.exp(-((difference / (2 * _COLOUR_NOISE)) ** 2)).astype(np.float32)
                found.append(Neighbour(index, path, trust))
        return found

    return each(around, range(len(picture)))


def steady(values: np.ndarray, around: list[list[Neighbour]], rounds: int) -> np.ndarray:
    """Smooth maps in time along the flow, `rounds` times over the nearest frames on both sides.

    A frame takes part in as many rounds as the window has frames on its shorter side, so that all averages are
    centred: frames on the two sides of a border between windows then see nearly the same frames and agree. All frames
    advance together, so no order of computing them matters.

    values   (T, h, w)  float32
    around   neighbours of each frame
    returns  (T, h, w)  float32
    """
    count = len(values)
    for number in range(rounds):
        inner = range(number + 1, count - 1 - number)
        smoothed = each(lambda t, before=values: _averaged(before, t, around[t]), inner)
        values = np.stack([*values[: inner.start], *smoothed, *values[inner.start + len(inner) :]])
    return values


def _averaged(values: np.ndarray, t: int, around: list[Neighbour]) -> np.ndarray:
    """Average frame t of (T, h, w) with its neighbours."""
    total, weight = values[t].copy(), np.ones_like(values[t])
    for neighbour in around:
        total += neighbour.trust * neighbour.fetch(values[neighbour.index])
        weight += neighbour.trust
    return total / weight
