"""Rows of any stride: copied and named by their content alone."""

from __future__ import annotations

import numpy as np
import pytest


def image(dtype: str = "f4", channels: int = 4) -> np.ndarray:
    return np.random.default_rng(7).integers(0, 255, (5, 7, channels)).astype(dtype)


def padded(pixels: np.ndarray) -> np.ndarray:
    """The same pixels in rows that are three pixels longer."""
    wide = np.full((pixels.shape[0], pixels.shape[1] + 3, pixels.shape[2]), 99, pixels.dtype)
    wide[:, :-3] = pixels
    return wide[:, :-3]


def upside_down(pixels: np.ndarray) -> np.ndarray:
    """The same pixels with memory that runs from the last row to the first."""
    return np.ascontiguousarray(pixels[::-1])[::-1]


LAYOUTS = {"tight": np.ascontiguousarray, "padded": padded, "negative": upside_down}


@pytest.mark.parametrize("source", LAYOUTS)
@pytest.mark.parametrize("target", LAYOUTS)
def test_copy_keeps_pixels_between_all_layouts(units, source, target):
    pixels = image("u2")
    copy = LAYOUTS[target](np.zeros_like(pixels))
    units.copy_pixels(LAYOUTS[source](pixels), copy)
    assert np.array_equal(copy, pixels)


def test_copy_leaves_the_padding_alone(units):
    target = padded(np.zeros_like(image()))
    units.copy_pixels(image(), target)
    assert (target.base[:, -3:] == 99).all()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_key_depends_on_pixels_not_on_their_layout(units, layout):
    assert units.content_key(LAYOUTS[layout](image())) == units.content_key(image())


def test_key_changes_with_any_pixel_and_with_the_format(units):
    other = image()
    other[4, 6, 3] += 1
    wider = image().reshape(7, 5, 4)
    keys = {units.content_key(pixels) for pixels in (image(), other, wider, image("u1"), image("u2"))}
    assert len(keys) == 5


@pytest.mark.parametrize("columns", [512, 515])
def test_frames_that_are_streamed_past_the_caches_arrive_whole(units, columns):
    pixels = np.random.default_rng(1).random((257, columns, 4), np.float32)  # over 1 MiB, from an odd place
    raw = np.zeros(pixels.nbytes + 4, np.uint8)
    target = raw[4:].view(np.float32).reshape(pixels.shape)
    units.copy_pixels(pixels, target)
    assert np.array_equal(target, pixels) and not raw[:4].any()
