"""Rows of any stride: copied and named by their content alone."""

from __future__ import annotations

import numpy as np
import pytest
import xxhash


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


SIZES = [0, 1, 63, 64, 4096, 4097, 70_001]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("shift", [0, 4, 33])
@pytest.mark.parametrize("past_caches", [False, True])
def test_every_hash_kernel_gives_xxh3_and_the_whole_copy(units, size, shift, past_caches):
    source = np.random.default_rng(size).integers(0, 256, size, np.uint8)
    target = np.full(size + 128, 99, np.uint8)
    copy = target[shift : shift + size]
    expected = xxhash.xxh3_128_digest(source.tobytes())
    assert set(units.hashes(source, None, False).values()) == {expected}
    assert set(units.hashes(source, copy, past_caches).values()) == {expected}
    assert np.array_equal(copy, source)
    assert (target[:shift] == 99).all() and (target[shift + size :] == 99).all(), "nothing beside it is touched"


def test_the_widest_kernel_that_the_processor_has_is_used(units):
    assert units.hash_kernel == list(units.hashes(b"", None, False))[-1]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("size", [(5, 7), (300, 301)])  # the larger is over 1 MiB, its rows no multiple of a line
def test_copying_with_the_key_gives_both_the_copy_and_the_key(units, layout, size):
    pixels = np.random.default_rng(2).random((*size, 4), np.float32)
    copy = np.zeros_like(pixels)
    assert units.copy_and_key(LAYOUTS[layout](pixels), copy) == units.content_key(pixels)
    assert np.array_equal(copy, pixels)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_sketch_depends_on_pixels_not_on_their_layout(units, layout):
    pixels = np.random.default_rng(3).random((300, 301, 4), np.float32)
    assert units.content_sketch(LAYOUTS[layout](pixels)) == units.content_sketch(pixels)
    assert units.content_sketch(pixels + 1) != units.content_sketch(pixels)


def test_small_frames_share_one_sketch(units):
    assert units.content_sketch(image()) == units.content_sketch(image() + 1), "they are hashed whole"
