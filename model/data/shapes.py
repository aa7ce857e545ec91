"""Random outlines of near objects: blobs, poles, jointed limbs and rows of them."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
_FRACTION_BITS = 4
"""OpenCV draws with 1/16 px."""


def random_outline(rng: np.random.Generator, height: int, width: int) -> list[Points]:
    """Draw the polygons, each (n, 2) in px as (x, y), of one object within a picture of this size."""
    kind = rng.choice(("blob", "pole", "limbs", "polygon"), p=(0.4, 0.2, 0.25, 0.15))
    centre = rng.uniform((0.1 * width, 0.1 * height), (0.9 * width, 0.9 * height))
    size = height * np.exp(rng.uniform(np.log(0.08), np.log(0.6)))
    if kind == "blob":
        return [_blob(rng, centre, size, waves=int(rng.integers(2, 9)))]
    if kind == "polygon":
        corners = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(3, 8)))
        reach = size * rng.uniform(0.5, 1.2, len(corners))
        return [centre + reach[:, None] * np.stack((np.cos(corners), np.sin(corners)), 1)]
    if kind == "pole":
        return [_bar(rng, centre, 4 * height, thickness=np.exp(rng.uniform(np.log(2), np.log(24))))]
    limbs = [_bar(rng, centre, 1.5 * size, thickness=size * rng.uniform(0.06, 0.3)) for _ in range(rng.integers(2, 7))]
    return [_blob(rng, centre, 0.5 * size, waves=4), *limbs]


def _blob(rng: np.random.Generator, centre: Points, radius: float, waves: int) -> Points:
    angle = np.linspace(0, 2 * np.pi, 96, endpoint=False)
    wobble = sum(rng.normal(0, 0.35 / n) * np.cos(n * angle + rng.uniform(0, 2 * np.pi)) for n in range(1, waves + 1))
    reach = radius * np.clip(1 + wobble, 0.2, 2.5)
    stretch = rng.uniform(0.6, 1.6)
    return centre + np.stack((reach * np.cos(angle), stretch * reach * np.sin(angle)), 1)


def _bar(rng: np.random.Generator, centre: Points, length: float, thickness: float) -> Points:
    tilt = rng.normal(0, 0.5) + (np.pi / 2 if rng.random() < 0.75 else 0)
    along = np.array((np.cos(tilt), np.sin(tilt)))
    across = np.array((-along[1], along[0])) * thickness / 2
    start = centre - along * length * rng.uniform(0, 1)
    end = start + along * length
    return np.stack((start + across, end + across * rng.uniform(0.5, 1), end - across, start - across))


def draw(outline: list[Points], height: int, width: int, shift: tuple[float, float], blur_px: float) -> NDArray:
    """Rasterise polygons moved by `shift` (x, y) px: coverage (height, width) float32, 0..1, soft by `blur_px`."""
    coverage = np.zeros((height, width), np.uint8)
    for polygon in outline:
        points = np.round((polygon + shift) * 2**_FRACTION_BITS).astype(np.int32)
        cv2.fillPoly(coverage, [points], 255, lineType=cv2.LINE_AA, shift=_FRACTION_BITS)
    if blur_px > 0.3:
        coverage = cv2.GaussianBlur(coverage, (0, 0), blur_px)
    return coverage.astype(np.float32) / 255
