"""Pixel depths, components and scales between numpy pictures and what a plugin is given.

A picture is (H, W, C), top row first: uint8, uint16, float16 or float32; integers are full range.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Rect = tuple[int, int, int, int]
RectD = tuple[float, float, float, float]

DTYPES = {"Byte": np.uint8, "Short": np.uint16, "Half": np.float16, "Float": np.float32}
CHANNELS = {"RGBA": 4, "RGB": 3, "Alpha": 1}


@dataclass
class HostPicture:
    """A picture and everything a plugin is told about it; rectangles are in pixels, y upwards."""

    pixels: NDArray[np.uint8] | None  # rows as bytes, top first; None for an output
    bounds: Rect
    region_of_definition: Rect
    depth: str
    components: str
    bytes_per_pixel: int
    top_down: bool
    padding_bytes: int
    premultiplication: str = "OfxImageOpaque"
    identifier: str = ""
    scale: tuple[float, float] = (1.0, 1.0)


def bytes_per_pixel(depth: str, components: str) -> int:
    """Bytes of one pixel of `Float`, `RGBA` and the like."""
    return np.dtype(DTYPES[depth]).itemsize * CHANNELS[components]


def depth_of(picture: NDArray) -> str:
    """`Byte`, `Short`, `Half` or `Float`. Raises TypeError for another dtype."""
    for name, dtype in DTYPES.items():
        if picture.dtype == dtype:
            return name
    raise TypeError(f"a picture is uint8, uint16, float16 or float32; got {picture.dtype}")


def components_of(picture: NDArray) -> str:
    """`RGBA`, `RGB` or `Alpha`. Raises ValueError for another number of channels."""
    for name, count in CHANNELS.items():
        if picture.ndim == 3 and picture.shape[2] == count:
            return name
    raise ValueError(f"a picture is (H, W, C) with 1, 3 or 4 channels; got {picture.shape}")


def to_depth(picture: NDArray, depth: str) -> NDArray:
    """Convert to another depth; integers clamp and round, float keeps what is outside 0..1."""
    if depth_of(picture) == depth:
        return picture
    values = picture.astype(np.float32)
    if picture.dtype.kind == "u":
        values /= np.iinfo(picture.dtype).max
    dtype = np.dtype(DTYPES[depth])
    if dtype.kind == "u":
        top = np.iinfo(dtype).max
        return np.rint(np.clip(np.nan_to_num(values), 0, 1) * top).astype(dtype)
    return values.astype(dtype)


def to_components(picture: NDArray, components: str) -> NDArray:
    """Convert between RGBA, RGB and Alpha; a missing alpha is opaque, a single channel becomes grey."""
    count = CHANNELS[components]
    if picture.shape[2] == count:
        return picture
    if count == 1:
        return picture[..., -1:] if picture.shape[2] == 4 else picture[..., :1]
    colour = np.repeat(picture, 3, axis=2) if picture.shape[2] == 1 else picture[..., :3]
    if count == 3:
        return colour
    opaque = np.iinfo(picture.dtype).max if picture.dtype.kind == "u" else 1
    alpha = np.full((*picture.shape[:2], 1), opaque, picture.dtype)
    return np.concatenate([colour, alpha], axis=2)


def scaled(picture: NDArray, width: int, height: int) -> NDArray:
    """Resize for a proxy; the same picture if the size is right already."""
    if picture.shape[:2] == (height, width):
        return picture
    values = picture.astype(np.float32)
    small = cv2.resize(values, (width, height), interpolation=cv2.INTER_AREA)
    return small.reshape(height, width, picture.shape[2]).astype(picture.dtype)


def as_rows(picture: NDArray) -> NDArray[np.uint8]:
    """The picture's bytes, (H, W x bytes per pixel)."""
    return np.ascontiguousarray(picture).view(np.uint8).reshape(picture.shape[0], -1)


def from_rows(rows: NDArray[np.uint8], depth: str, components: str) -> NDArray:
    """The picture that those bytes are."""
    channels = CHANNELS[components]
    return rows.view(DTYPES[depth]).reshape(rows.shape[0], -1, channels)


def premultiplication(name: str) -> str:
    """The standard's word for `opaque`, `premultiplied` or `unpremultiplied`."""
    words = {"opaque": "OfxImageOpaque", "premultiplied": "OfxImageAlphaPremultiplied"}
    return words.get(name, "OfxImageAlphaUnPremultiplied")


def pixel_rect(region: RectD, scale: tuple[float, float]) -> Rect:
    """The pixels that a canonical region touches at a render scale."""
    x1, y1, x2, y2 = region
    low = np.floor(np.array([x1 * scale[0], y1 * scale[1]]) + 1e-6).astype(int)
    high = np.ceil(np.array([x2 * scale[0], y2 * scale[1]]) - 1e-6).astype(int)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def intersection(a: Rect, b: Rect) -> Rect:
    """What both rectangles hold; empty (x2 <= x1 or y2 <= y1) if nothing."""
    return max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])
