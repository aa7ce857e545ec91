"""Which of two surfaces owns the outline between them: the nearer one carries it along.

What moves otherwise than the camera's fit is either an object in front of the background or a gap in it through which
something farther shows, such as the view through a window that a camera passes. The object takes its outline with it;
the gap's outline stays with what surrounds it, and the view slides behind it.
"""

from __future__ import annotations

import cv2
import numpy as np

from model.depth.motion import follow
from model.depth.parallax import Moving

_FAINT = 0.005  # of 1: outlines that changed by less say nothing


def outlines_stay(found: list[Moving], t: int) -> tuple[np.ndarray, np.ndarray]:
    """Tell for frame t whether the outlines of what moves stay or go along with it.

    found    what `moving` says of every frame
    returns  opinion  (h, w) float32: -1 they go along, an object .. 1 they stay, a gap
             weight   (h, w) float32, > 0: how much the pixel can tell
    """
    here = _shape(found[t])
    changed_along, changed_in_place = np.zeros_like(here), np.zeros_like(here)
    for side in found[t].sides:
        there = _shape(found[side.index])
        changed_along += here * np.abs(here - follow(there, side.path))
        changed_in_place += here * np.abs(here - follow(there, side.camera))
    weight = changed_along + changed_in_place + _FAINT
    return (changed_along - changed_in_place) / weight, weight


def _shape(moving: Moving) -> np.ndarray:
    return cv2.medianBlur(moving.evidence, 5)
