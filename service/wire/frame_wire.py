"""Pixels on the wire: stereoconvert.v1.PixelFormat and bytes ↔ (C, H, W) arrays.

Integers become 0..1 by division with their largest value and come back by rounding half to even, so a value that
nothing touched returns bit for bit. Floating values stay as they are; what does not fit is clamped and counted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from stereoconvert.v1 import frame_pb2

from model.errors import FrameFormatError

MAX_SIDE_PX = 16384
MAX_COLOR_SPACE_BYTES = 128

_DTYPES = {
    frame_pb2.PIXEL_TYPE_U8: np.dtype("u1"),
    frame_pb2.PIXEL_TYPE_U16: np.dtype("<u2"),
    frame_pb2.PIXEL_TYPE_F16: np.dtype("<f2"),
    frame_pb2.PIXEL_TYPE_F32: np.dtype("<f4"),
}
_PIXEL_TYPES = {dtype: number for number, dtype in _DTYPES.items()}
_CHANNELS = {
    frame_pb2.CHANNEL_ORDER_RGBA: 4,
    frame_pb2.CHANNEL_ORDER_RGB: 3,
    frame_pb2.CHANNEL_ORDER_GRAY: 1,
}
_CHANNEL_ORDERS = {channels: number for number, channels in _CHANNELS.items()}
_ROW_ORDERS = (frame_pb2.ROW_ORDER_TOP_DOWN, frame_pb2.ROW_ORDER_BOTTOM_UP)
_PREMULTIPLICATIONS = (
    frame_pb2.PREMULTIPLICATION_OPAQUE,
    frame_pb2.PREMULTIPLICATION_PREMULTIPLIED,
    frame_pb2.PREMULTIPLICATION_UNPREMULTIPLIED,
)


@dataclass(frozen=True)
class FrameFormat:
    """A PixelFormat that has been checked."""

    width: int
    height: int
    dtype: np.dtype
    channels: int
    bottom_up: bool = False
    premultiplication: int = frame_pb2.PREMULTIPLICATION_OPAQUE
    color_space: str = ""

    @property
    def frame_bytes(self) -> int:
        """Size of one frame."""
        return self.width * self.height * self.channels * self.dtype.itemsize

    @property
    def is_integer(self) -> bool:
        """Whether values are 0..1 by definition."""
        return self.dtype.kind == "u"

    def resized(self, width: int, height: int) -> FrameFormat:
        """The same pixels in a frame of another size."""
        return replace(self, width=width, height=height)

    def __str__(self) -> str:
        kind = {"u1": "u8", "u2": "u16", "f2": "f16", "f4": "f32"}[self.dtype.str[1:]]
        return f"{self.width} x {self.height} {({4: 'RGBA', 3: 'RGB', 1: 'GRAY'})[self.channels]} {kind}"


def format_from_wire(message: frame_pb2.PixelFormat, field: str, max_width: int, max_height: int) -> FrameFormat:
    """Check a PixelFormat that came as `field`.

    Raises FrameFormatError naming the field, the value and what is allowed.
    """
    for name, value, limit in (("width", message.width, max_width), ("height", message.height, max_height)):
        if not 1 <= value <= limit:
            raise FrameFormatError(f"{field}.{name} is {value} px; it must be 1..{limit}")
    _check_choice(field, "pixel_type", message.pixel_type, _DTYPES, frame_pb2.PixelType)
    _check_choice(field, "channel_order", message.channel_order, _CHANNELS, frame_pb2.ChannelOrder)
    _check_choice(field, "row_order", message.row_order, _ROW_ORDERS, frame_pb2.RowOrder)
    _check_choice(
        field, "premultiplication", message.premultiplication, _PREMULTIPLICATIONS, frame_pb2.Premultiplication
    )
    if len(message.color_space.encode()) > MAX_COLOR_SPACE_BYTES:
        raise FrameFormatError(f"{field}.color_space is longer than {MAX_COLOR_SPACE_BYTES} bytes")
    return FrameFormat(
        width=message.width,
        height=message.height,
        dtype=_DTYPES[message.pixel_type],
        channels=_CHANNELS[message.channel_order],
        bottom_up=message.row_order == frame_pb2.ROW_ORDER_BOTTOM_UP,
        premultiplication=message.premultiplication,
        color_space=message.color_space,
    )


def _check_choice(field: str, name: str, value: int, allowed, enum) -> None:
    if value in allowed:
        return
    came = enum.Name(value) if value in enum.values() else str(value)
    choices = ", ".join(enum.Name(number) for number in allowed)
    raise FrameFormatError(f"{field}.{name} is {came}; it must be one of {choices}")


def format_to_wire(frame_format: FrameFormat) -> frame_pb2.PixelFormat:
    """The message of a format."""
    return frame_pb2.PixelFormat(
        width=frame_format.width,
        height=frame_format.height,
        pixel_type=_PIXEL_TYPES[frame_format.dtype],
        channel_order=_CHANNEL_ORDERS[frame_format.channels],
        row_order=_ROW_ORDERS[frame_format.bottom_up],
        premultiplication=frame_format.premultiplication,  # pyright: ignore[reportArgumentType] - checked number
        color_space=frame_format.color_space,
    )


def pixel_view(buffer: memoryview | bytearray | bytes, frame_format: FrameFormat) -> np.ndarray:
    """See a buffer as (C, H, W), first row on top, without copying; writable when the buffer is.

    Raises FrameFormatError when the buffer is smaller than the frame.
    """
    if len(buffer) < frame_format.frame_bytes:
        raise FrameFormatError(
            f"a frame of {frame_format} has {frame_format.frame_bytes} bytes; only {len(buffer)} came"
        )
    shape = (frame_format.height, frame_format.width, frame_format.channels)
    count = shape[0] * shape[1] * shape[2]
    rows = np.frombuffer(buffer, frame_format.dtype, count).reshape(shape)
    return (rows[::-1] if frame_format.bottom_up else rows).transpose(2, 0, 1)


def decode_frame(buffer: memoryview | bytearray | bytes, frame_format: FrameFormat, out: np.ndarray) -> None:
    """Read a frame's first channels into `out` (c, H, W) float32, c <= C; integers become 0..1."""
    view = pixel_view(buffer, frame_format)[: len(out)]
    if frame_format.is_integer:
        np.divide(view, np.float32(np.iinfo(frame_format.dtype).max), out=out, dtype=np.float32, casting="unsafe")
    else:
        np.copyto(out, view)


def encode_frame(
    image: np.ndarray, frame_format: FrameFormat, buffer: memoryview | bytearray, rows: slice = slice(None)
) -> int:
    """Write `image` (C, H, W) float32 into a buffer; return how many values had to be clamped.

    rows  only these, counted from the top

    Integers: round half to even, outside 0..1 clamped, NaN becomes 0. Half: finite values past its range become the
    largest finite value; infinities and NaN stay.
    """
    view = pixel_view(buffer, frame_format)
    if image.shape != view.shape:
        raise FrameFormatError(f"a result of shape {image.shape} does not fit a frame of {frame_format}")
    image, view = image[:, rows], view[:, rows]
    if frame_format.is_integer:
        return _encode_integers(image, view)
    if frame_format.dtype.itemsize == 2:
        return _encode_halves(image, view)
    np.copyto(view, image)
    return 0


def _encode_integers(image: np.ndarray, view: np.ndarray) -> int:
    largest = np.float32(np.iinfo(view.dtype).max)
    scaled = np.rint(image * largest)
    fits = (scaled >= 0) & (scaled <= largest)  # False for NaN
    clamped = int(fits.size - np.count_nonzero(fits))
    if clamped:
        scaled = np.clip(np.where(np.isnan(scaled), np.float32(0), scaled), 0, largest)
    np.copyto(view, scaled, casting="unsafe")
    return clamped


def _encode_halves(image: np.ndarray, view: np.ndarray) -> int:
    largest = np.float32(np.finfo(np.float16).max)
    with np.errstate(over="ignore"):
        halves = image.astype(np.float16)
    overflowed = np.isinf(halves) & np.isfinite(image)
    clamped = int(np.count_nonzero(overflowed))
    if clamped:
        halves[overflowed] = np.copysign(largest, image[overflowed])
    np.copyto(view, halves)
    return clamped
