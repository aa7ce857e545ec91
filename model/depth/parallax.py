"""What moves otherwise than the background: evidence that it stands in front."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from model.depth.cues import background_likelihood
from model.depth.frames import channel_sum, magnitude
from model.depth.motion import Flow, camera_flow, follow, weighted_median

_SPEED_PX = 0.12  # px a frame at the working width: never trust less
_SPEED_NOISE = 2.5  # times the background's own residual counts half
_PLAIN_WEIGHT = 0.2  # of areas without texture: still, until a neighbour knows better
_ERROR = 0.015  # of 1: a mismatch that is not noise


@dataclass(frozen=True)
class Side:
    """A neighbouring frame as seen from frame t: where pixels go, and where the camera alone would take them.

    path, camera  (h, w, 2) float32, px
    """

    index: int
    path: np.ndarray
    camera: np.ndarray


@dataclass(frozen=True)
class Moving:
    """What frame t tells; all (h, w) float32.

    evidence  0 moves with the background .. 1 certainly not
    weight    > 0, how much the pixel can tell; plain areas tell nothing
    outline   0..1, the dense flow's opinion, checked by nothing: its steps are the outlines of what moves
    sides     the neighbouring frames that it was told from: none to two
    """

    evidence: np.ndarray
    weight: np.ndarray
    outline: np.ndarray
    sides: tuple[Side, ...]


def moving(grey: np.ndarray, flow: Flow, t: int) -> Moving:
    """Look for what moves otherwise than the background in frame t.

    grey     (T, h, w) float32, 0..1

    Where flow comes from both sides the weaker evidence counts: beside a moving object the background is hidden in
    one of the neighbours and seems to move along, but it is seen in the other.
    """
    size = grey.shape[1:]
    gradient = np.stack(
        (cv2.Sobel(grey[t], cv2.CV_32F, 1, 0, scale=1 / 8), cv2.Sobel(grey[t], cv2.CV_32F, 0, 1, scale=1 / 8)), axis=-1
    )
    ways = ((t + 1, flow.forward[t]), (t - 1, flow.backward[t]))
    behind = background_likelihood(*size)
    sides = tuple(Side(index, path, camera_flow(path, behind)) for index, path in ways if path is not None)
    if not sides:
        return Moving(np.zeros(size, np.float32), np.ones(size, np.float32), np.zeros(size, np.float32), ())
    seen = [_against_camera(grey[t], grey[side.index], gradient, side, behind) for side in sides]
    evidence, weight, outline = (np.minimum.reduce(maps) for maps in zip(*seen, strict=True))
    return Moving(evidence, _PLAIN_WEIGHT + weight, outline, sides)


def _against_camera(
    grey: np.ndarray, other: np.ndarray, gradient: np.ndarray, side: Side, behind: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Evidence, weight and outline from one side.

    The residual is believed where it explains the pixel better than the camera's motion does, by about as much as it
    must by the pixel's gradient.
    """
    residual = side.path - side.camera
    speed = magnitude(residual[..., 0], residual[..., 1])
    half = _SPEED_PX + _SPEED_NOISE * weighted_median(speed[::4, ::4].ravel(), behind[::4, ::4].ravel())
    gain = _blurred(np.abs(grey - follow(other, side.camera)) - np.abs(grey - follow(other, side.path)))
    must = np.minimum(_blurred(np.abs(channel_sum(gradient * residual))), 4 * _ERROR)
    explained = np.clip(2 * gain / (must + 0.2 * _ERROR), 0, 1)
    slope = _blurred(magnitude(gradient[..., 0], gradient[..., 1]))
    weight = np.clip(np.maximum(must, slope * half) / _ERROR, 0, 1)
    outline = speed**2 / (speed**2 + half**2)
    return outline * explained, weight, outline


def _blurred(image: np.ndarray) -> np.ndarray:
    return cv2.blur(image, (5, 5))
