"""Signs of nearness in single frames: height in the picture, colour unlike the borders, sharpness.

All work on pictures (h, w, 3) float32 in 0..1 and give (h, w) float32 in 0..1.
"""

from __future__ import annotations

import cv2
import numpy as np

from model.depth.frames import channel_sum, magnitude

_BINS = 12
_CLEAR_DIFFERENCE = 0.08  # 1 - overlap (Bhattacharyya) of two histograms that mean two things
_MIN_EDGE = 0.02  # grey levels per px: weaker edges tell nothing about focus


def ground(height: int, width: int) -> np.ndarray:
    """Nearness of a floor that reaches from the bottom of the frame to a horizon a quarter below the top."""
    y = (np.arange(height, dtype=np.float32) + 0.5) / height
    return np.repeat((0.08 + 0.67 * np.clip((y - 0.25) / 0.75, 0, 1))[:, None], width, axis=1).astype(np.float32)


def background_likelihood(height: int, width: int) -> np.ndarray:
    """How likely a pixel is to be background by its place alone: the top and the sides are."""
    y = ((np.arange(height, dtype=np.float32) + 0.5) / height)[:, None]
    x = np.abs((np.arange(width, dtype=np.float32) + 0.5) / width - 0.5) * 2
    return np.clip(np.maximum(1 - 1.6 * y, x**3 * (1.3 - y)), 0.03, 1).astype(np.float32)


def unlike_border(picture: np.ndarray) -> np.ndarray:
    """Tell by colour what is not background: 0 as at the borders .. 1 only in the middle.

    Two colour histograms, one weighted by the likelihood of background and one by the middle of the frame; how
    different they are says how far to trust them.
    """
    height, width = picture.shape[:2]
    behind = background_likelihood(height, width)
    y = ((np.arange(height, dtype=np.float32) + 0.5) / height)[:, None] - 0.6
    x = (np.arange(width, dtype=np.float32) + 0.5) / width - 0.5
    middle = np.exp(-((x / 0.22) ** 2 + (y / 0.3) ** 2) / 2)
    levels = (cv2.cvtColor(picture, cv2.COLOR_RGB2Lab) * (1 / 100, 1 / 140, 1 / 140) + (0, 0.5, 0.5)) * (_BINS - 1)
    bins = np.clip(np.rint(levels), 0, _BINS - 1).astype(np.int64)
    index = (bins[..., 0] * _BINS + bins[..., 1]) * _BINS + bins[..., 2]
    there, here = _histogram(index, behind), _histogram(index, middle)
    overlap = float(np.sqrt(there * here).sum())
    odds = here / (here + there + 1e-9)
    trusted = min(1.0, (1 - overlap) / _CLEAR_DIFFERENCE)
    return (np.clip(2 * odds - 1, 0, 1)[index] * trusted).astype(np.float32)


def _histogram(index: np.ndarray, weight: np.ndarray) -> np.ndarray:
    cube = np.bincount(index.ravel(), weight.ravel(), minlength=_BINS**3).reshape(_BINS, _BINS, _BINS)
    for axis in range(3):  # neighbouring colours are the same surface in another light
        line = np.moveaxis(cube, axis, 0)
        padded = np.concatenate((line[:1], line, line[-1:]))
        cube = np.moveaxis((padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4, 0, axis)
    return (cube / cube.sum()).ravel()


def sharpness(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Measure how sharp edges are, and where there are any to measure.

    returns  sharp   (h, w) 0 blurred .. 1 as sharp as the picture gets
             weight  (h, w) >= 0, strength of the edges that it was measured at
    """
    grey = channel_sum(picture) / 3
    fine, coarse = (_strongest(_gradient(cv2.GaussianBlur(grey, (0, 0), sigma))) for sigma in (0.6, 2.4))
    # an edge of blur b keeps √(b² + 2.4²) / √(b² + 0.6²): 2.5 and more for a step (Sobel blurs too), 1 for a wide blur
    ratio = np.clip((fine / np.maximum(coarse, 1e-4) - 1) / 1.5, 0, 1)
    weight = np.clip(coarse - _MIN_EDGE / 4, 0, 0.1).astype(np.float32)
    return ratio.astype(np.float32), weight


def _strongest(gradient: np.ndarray) -> np.ndarray:
    """The strongest gradient within 2 px: both scales are compared at the middle of an edge."""
    return cv2.dilate(gradient, np.ones((5, 5), np.uint8))


def _gradient(grey: np.ndarray) -> np.ndarray:
    return magnitude(cv2.Sobel(grey, cv2.CV_32F, 1, 0, scale=1 / 8), cv2.Sobel(grey, cv2.CV_32F, 0, 1, scale=1 / 8))
