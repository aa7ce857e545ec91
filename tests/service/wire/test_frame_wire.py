from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from stereoconvert.v1 import frame_pb2

from model.errors import FrameFormatError
from service.wire.frame_wire import (
    FrameFormat,
    decode_frame,
    encode_frame,
    format_from_wire,
    format_to_wire,
    pixel_view,
)

DTYPES = {"u8": np.dtype("u1"), "u16": np.dtype("<u2"), "f16": np.dtype("<f2"), "f32": np.dtype("<f4")}
formats = st.builds(
    FrameFormat,
    width=st.integers(1, 9),
    height=st.integers(1, 7),
    dtype=st.sampled_from(list(DTYPES.values())),
    channels=st.sampled_from((1, 3, 4)),
    bottom_up=st.booleans(),
    premultiplication=st.sampled_from((1, 2, 3)),
    color_space=st.text(max_size=20),
)


def decoded(pixels: bytes, frame_format: FrameFormat) -> np.ndarray:
    image = np.empty((frame_format.channels, frame_format.height, frame_format.width), np.float32)
    decode_frame(pixels, frame_format, image)
    return image


def round_trip(image: np.ndarray, frame_format: FrameFormat) -> tuple[bytes, int]:
    buffer = bytearray(frame_format.frame_bytes)
    clamped = encode_frame(image, frame_format, buffer)
    return bytes(buffer), clamped


@given(formats)
def test_a_format_survives_the_wire(frame_format):
    message = format_to_wire(frame_format)
    assert format_from_wire(message, "f", 16384, 16384) == frame_format


@pytest.mark.parametrize("name", ["u8", "u16"])
def test_every_integer_comes_back_bit_for_bit(name):
    dtype = DTYPES[name]
    values = np.arange(np.iinfo(dtype).max + 1, dtype=dtype)
    frame_format = FrameFormat(len(values) // 4, 4, dtype, 1)
    pixels, clamped = round_trip(decoded(values.tobytes(), frame_format), frame_format)
    assert pixels == values.tobytes()
    assert clamped == 0


@given(formats.filter(lambda f: f.dtype.kind == "f"), st.data())
def test_every_finite_float_comes_back_bit_for_bit(frame_format, data):
    shape = (frame_format.height, frame_format.width, frame_format.channels)
    width = frame_format.dtype.itemsize * 8
    pixels = data.draw(
        hnp.arrays(frame_format.dtype, shape, elements=st.floats(width=width, allow_nan=False))
    ).tobytes()
    assert round_trip(decoded(pixels, frame_format), frame_format) == (pixels, 0)


def test_integers_span_zero_to_one():
    image = decoded(bytes([0, 255, 51]), FrameFormat(3, 1, DTYPES["u8"], 1))
    assert image.ravel().tolist() == [0.0, 1.0, pytest.approx(0.2)]


def test_channels_and_rows_land_where_the_format_says():
    pixels = bytes(range(2 * 2 * 3))  # two rows of two RGB pixels
    top_down = pixel_view(pixels, FrameFormat(2, 2, DTYPES["u8"], 3))
    bottom_up = pixel_view(pixels, FrameFormat(2, 2, DTYPES["u8"], 3, bottom_up=True))
    assert top_down[:, 0, 1].tolist() == [3, 4, 5]  # first row, second pixel: R G B
    assert bottom_up[:, 0, 1].tolist() == [9, 10, 11]  # the last row in memory is on top
    assert bottom_up[:, 1, 0].tolist() == [0, 1, 2]


def test_a_view_shares_the_memory():
    memory = bytearray(12)
    pixel_view(memory, FrameFormat(2, 2, DTYPES["u8"], 3))[1, 0, 0] = 7
    assert memory[1] == 7


@pytest.mark.parametrize(
    ("value", "code", "clamped"),
    [
        (0.5 / 255, 0, 0),  # halves go to the even code
        (1.5 / 255, 2, 0),
        (2.5 / 255, 2, 0),
        (1.001, 255, 0),  # rounds to 255 anyway: nothing is lost
        (1.1, 255, 1),
        (-0.001, 0, 0),
        (-0.1, 0, 1),
        (np.nan, 0, 1),
        (np.inf, 255, 1),
        (-np.inf, 0, 1),
    ],
)
def test_integers_round_to_even_and_clamp_with_a_count(value, code, clamped):
    pixels, count = round_trip(np.full((1, 1, 1), value, np.float32), FrameFormat(1, 1, DTYPES["u8"], 1))
    assert (pixels[0], count) == (code, clamped)


@pytest.mark.parametrize(
    ("value", "half", "clamped"),
    [(65504.0, 65504.0, 0), (1e6, 65504.0, 1), (-1e6, -65504.0, 1), (np.inf, np.inf, 0), (-np.inf, -np.inf, 0)],
)
def test_half_overflow_becomes_the_largest_half_and_infinities_stay(value, half, clamped):
    pixels, count = round_trip(np.full((1, 1, 1), value, np.float32), FrameFormat(1, 1, DTYPES["f16"], 1))
    assert (np.frombuffer(pixels, "<f2")[0], count) == (half, clamped)


def test_float_keeps_what_lies_outside_zero_to_one():
    image = np.array([-3.5, 1e30, 0.25], np.float32).reshape(1, 1, 3)
    pixels, clamped = round_trip(image, FrameFormat(3, 1, DTYPES["f32"], 1))
    assert np.frombuffer(pixels, "<f4").tolist() == image.ravel().tolist()
    assert clamped == 0


def test_depth_takes_the_first_of_several_channels():
    nearness = np.empty((1, 1, 2), np.float32)
    decode_frame(np.arange(6, dtype="<f4").tobytes(), FrameFormat(2, 1, DTYPES["f32"], 3), nearness)
    assert nearness.ravel().tolist() == [0.0, 3.0]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"width": 0}, "f.width is 0 px; it must be 1..100"),
        ({"height": 101}, "f.height is 101 px; it must be 1..100"),
        ({"pixel_type": 0}, "f.pixel_type is PIXEL_TYPE_UNSPECIFIED; it must be one of PIXEL_TYPE_U8"),
        ({"pixel_type": 9}, "f.pixel_type is 9"),
        ({"channel_order": 0}, "f.channel_order is CHANNEL_ORDER_UNSPECIFIED"),
        ({"row_order": 0}, "f.row_order is ROW_ORDER_UNSPECIFIED"),
        ({"premultiplication": 0}, "f.premultiplication is PREMULTIPLICATION_UNSPECIFIED"),
        ({"color_space": "x" * 129}, "f.color_space is longer than 128 bytes"),
    ],
)
def test_a_wrong_format_is_refused_by_field_value_and_range(change, text):
    message = format_to_wire(FrameFormat(4, 3, DTYPES["u8"], 4))
    for name, value in change.items():
        setattr(message, name, value)
    with pytest.raises(FrameFormatError, match=text):
        format_from_wire(message, "f", 100, 100)


def test_a_buffer_smaller_than_its_frame_is_refused():
    with pytest.raises(FrameFormatError, match="has 48 bytes; only 47 came"):
        pixel_view(bytes(47), FrameFormat(4, 3, DTYPES["u8"], 4))


@given(st.builds(frame_pb2.PixelFormat, width=st.integers(0, 2**32 - 1), height=st.integers(0, 2**32 - 1),
                 pixel_type=st.integers(-5, 9), channel_order=st.integers(-5, 9), row_order=st.integers(-5, 9),
                 premultiplication=st.integers(-5, 9)))  # fmt: skip
def test_any_format_is_either_sound_or_refused(message):
    try:
        frame_format = format_from_wire(message, "f", 64, 64)
    except FrameFormatError:
        return
    assert 0 < frame_format.frame_bytes <= 64 * 64 * 16
