"""VR180: a flat picture on half a sphere for each eye, side by side (equirectangular, Spherical Video V2).

The source is taken for a rectilinear picture of a given field of view, looking straight ahead. Its parallax becomes an
angle, and zero parallax lies at infinity: with convergence = 0 nothing asks the eyes to part.
"""

from __future__ import annotations

import math
from functools import lru_cache

import cv2
import numpy as np

from service.wire.frame_wire import FrameFormat

MAX_EYE_PX = 4096


def eye_size_px(width_px: int, field_of_view_deg: float) -> int:
    """Side of the square for one eye at which the middle of the picture keeps its resolution; even, at most 4096."""
    per_radian = width_px / (2 * math.tan(math.radians(field_of_view_deg) / 2))
    return min(MAX_EYE_PX, 2 * math.ceil(math.pi * per_radian / 2))


def grown_to_half_sphere(source: FrameFormat, field_of_view_deg: float) -> FrameFormat:
    """The format of both eyes side by side."""
    side = eye_size_px(source.width, field_of_view_deg)
    return source.resized(2 * side, side)


def half_sphere_pair(side_by_side: np.ndarray, field_of_view_deg: float) -> np.ndarray:
    """Both eyes flat to both eyes on half spheres; black where the picture does not reach.

    side_by_side  (C, H, 2 W) float32
    returns       (C, N, 2 N) float32, N = eye_size_px(W, field_of_view_deg)
    """
    width = side_by_side.shape[2] // 2
    eyes = (side_by_side[:, :, :width], side_by_side[:, :, width:])
    return np.concatenate([_half_sphere(eye, field_of_view_deg) for eye in eyes], axis=2)


def _half_sphere(image: np.ndarray, field_of_view_deg: float) -> np.ndarray:
    _, height, width = image.shape
    columns, rows = _sample_positions(width, height, field_of_view_deg)
    flat = np.ascontiguousarray(image.transpose(1, 2, 0))
    sphere = cv2.remap(flat, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=(0, 0, 0, 0))
    return sphere.transpose(2, 0, 1)


@lru_cache(maxsize=2)
def _sample_positions(width: int, height: int, field_of_view_deg: float) -> tuple[np.ndarray, np.ndarray]:
    """Where each pixel of the half sphere lies in the flat picture: (N, N) columns and rows.

    A direction (longitude λ, latitude φ) meets the plane at distance 1 in (tan λ, tan φ / cos λ).
    """
    side = eye_size_px(width, field_of_view_deg)
    angles = ((np.arange(side) + 0.5) / side - 0.5) * np.pi
    longitude, latitude = angles[None, :], -angles[:, None]
    per_unit = width / (2 * math.tan(math.radians(field_of_view_deg) / 2))
    columns = np.tan(longitude) * per_unit + width / 2 - 0.5 + np.zeros_like(latitude)
    rows = -np.tan(latitude) / np.cos(longitude) * per_unit + height / 2 - 0.5
    limit = 30000  # cv2.remap takes 16 bit positions; everything out there is black
    return np.clip(columns, -limit, limit).astype(np.float32), np.clip(rows, -limit, limit).astype(np.float32)
