"""One image file ↔ one array with what its header says: EXR, DPX, TIFF, PNG and others, through OpenImageIO.

Pixels are not converted: what the file stores is what comes, 8 or 16 bit, half or float; alpha, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import OpenImageIO as oiio  # noqa: N813 - as its documentation has it

from service.batch.errors import UnreadableError, WriteError
from service.batch.media.clip_info import ClipInfo, Timecode

READABLE = {
    ".exr", ".dpx", ".tif", ".tiff", ".png", ".jpg", ".jpeg", ".bmp", ".webp", ".ppm", ".pgm", ".pfm", ".hdr",
}  # fmt: skip
WRITABLE = {
    ".exr": ("f2", "f4"),
    ".dpx": ("u1", "u2"),
    ".tif": ("u1", "u2", "f2", "f4"),
    ".tiff": ("u1", "u2", "f2", "f4"),
    ".png": ("u1", "u2"),
    ".jpg": ("u1",),
}
"""Number types that each kind of file keeps, as numpy's codes."""

_TYPE_NAMES = {"u1": "uint8", "u2": "uint16", "f2": "half", "f4": "float"}
_NATIVE = {"uint8": "u1", "uint16": "u2", "half": "f2", "float": "f4", "double": "f4", "uint32": "f4"}
_OF_THIS_FILE = {  # attributes that describe how the source was stored, not what it shows
    "compression", "DateTime", "Software", "ExifImageHistory", "CompressionQuality", "jpeg:subsampling", "Orientation",
    "planarconfig", "PhotometricInterpretation", "screenWindowCenter", "screenWindowWidth", "version", "type", "name",
}  # fmt: skip
_OF_THIS_FORMAT = ("oiio:", "openexr:", "tiff:", "dpx:Packing", "dpx:Endian", "dpx:EndOf", "dpx:Image", "png:", "exif:")
_DROP_BIT = 1 << 6
_TURNS = {  # Orientation of Exif -> swap rows and columns, then turn round (rows, columns)
    2: (False, False, True), 3: (False, True, True), 4: (False, True, False), 5: (True, False, False),
    6: (True, False, True), 7: (True, True, True), 8: (True, True, False),
}  # fmt: skip


@dataclass(frozen=True)
class ImageHeader:
    """What an image says besides its pixels.

    attributes  (name, OpenImageIO type, value), copied to outputs of any kind that can keep them
    bits        stored for each sample: 10 in most DPX
    windows     of EXR: size of the data, its x, y, then x, y, width and height of the display; None where they agree
    """

    attributes: tuple[tuple[str, str, object], ...] = ()
    bits: int = 0
    color_space: str = ""
    windows: tuple[int, int, int, int, int, int, int, int] | None = None


NO_HEADER = ImageHeader()
"""Of a frame that came from no image file."""


def read_image(path: Path) -> tuple[np.ndarray, ImageHeader]:
    """Read (H, W, 3 or 4) upright, in the file's own number type; gray becomes RGB. Raises UnreadableError."""
    config = oiio.ImageSpec()
    config.attribute("oiio:UnassociatedAlpha", 1)  # else it would be multiplied in
    source = oiio.ImageInput.open(str(path), config)
    if source is None:
        raise UnreadableError(f"{path} is no image that can be read: {_reason(oiio.geterror())}; is it complete?")
    try:
        spec = source.spec()
        dtype = np.dtype(_NATIVE.get(str(spec.format), "f4"))
        pixels = source.read_image(0, 0, 0, min(spec.nchannels, 4), _TYPE_NAMES[dtype.str[1:]])
        if pixels is None:
            raise UnreadableError(f"{path} cannot be read to its end: {_reason(source.geterror())}; is it complete?")
        image = _upright(np.asarray(pixels, dtype), spec.get_int_attribute("Orientation", 1))
        return _as_rgb(image, spec), _header(spec)
    finally:
        source.close()


def write_image(path: Path, image: np.ndarray, header: ImageHeader, info: ClipInfo, number: int, bits: int) -> None:
    """Write (H, W, 3 or 4) with what is known of the clip.

    info    its timecode is that of this frame
    number  of the frame
    bits    to store for each sample of an integer image; 0: all of them

    Raises WriteError.
    """
    spec = oiio.ImageSpec(image.shape[1], image.shape[0], image.shape[2], _TYPE_NAMES[image.dtype.str[1:]])
    _describe(spec, header, info, number)
    if bits and bits < 8 * image.dtype.itemsize:
        spec.attribute("oiio:BitsPerSample", bits)
        image = _rounded_to(image, bits)
    target = oiio.ImageOutput.create(str(path))
    if target is None:
        raise WriteError(f"cannot write {path}: {_reason(oiio.geterror())}")
    try:
        done = target.open(str(path), spec) and target.write_image(image)
        reason = target.geterror()
    finally:
        closed = target.close()
    if not (done and closed):
        raise WriteError(f"cannot write {path}: {_reason(reason or target.geterror())}; is the disk full?")


def _upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """As the camera was held: parallax must lie along the rows of what is seen."""
    swap, rows, columns = _TURNS.get(orientation, (False, False, False))
    turned = pixels.swapaxes(0, 1) if swap else pixels
    return turned[:: -1 if rows else 1, :: -1 if columns else 1]


def _as_rgb(pixels: np.ndarray, spec: oiio.ImageSpec) -> np.ndarray:
    if pixels.shape[2] >= 3:
        order = _channel_order(list(spec.channelnames)[: pixels.shape[2]])
        return np.ascontiguousarray(pixels[..., order])
    gray = pixels[..., :1].repeat(3, axis=2)
    return np.dstack((gray, pixels[..., 1:])) if pixels.shape[2] == 2 else gray


def _channel_order(names: list[str]) -> list[int]:
    """Where R, G, B and A are; as they come where they bear other names."""
    found = [names.index(name) for name in "RGBA" if name in names]
    return found if len(found) >= 3 else list(range(len(names)))


def _header(spec: oiio.ImageSpec) -> ImageHeader:
    kept = [
        (attribute.name, str(attribute.type), attribute.value)
        for attribute in spec.extra_attribs
        if attribute.name not in _OF_THIS_FILE and not attribute.name.startswith(_OF_THIS_FORMAT)
    ]
    bits = spec.get_int_attribute("oiio:BitsPerSample", 0)
    data = (spec.width, spec.height, spec.x, spec.y)
    display = (spec.full_x, spec.full_y, spec.full_width, spec.full_height)
    windows = None if data == (*display[2:], *display[:2]) else (*data, *display)
    return ImageHeader(tuple(kept), bits, spec.get_string_attribute("oiio:ColorSpace"), windows)


def info_of(header: ImageHeader) -> ClipInfo:
    """The part of a header that every kind of output understands."""
    values = {name: value for name, _, value in header.attributes}
    rate = values.get("FramesPerSecond") or values.get("dpx:FrameRate")
    aspect = values.get("PixelAspectRatio") or 1.0
    return ClipInfo(
        fps=_fraction(rate) if rate else None,
        timecode=_timecode(values.get("smpte:TimeCode")),
        pixel_aspect=Fraction(float(str(aspect))).limit_denominator(1000),
        color_space=header.color_space,
    )


def _fraction(rate: object) -> Fraction | None:
    value = Fraction(*rate) if isinstance(rate, tuple) and rate[1] else Fraction(str(rate)).limit_denominator(1001)
    return value if value > 0 else None


def _timecode(packed: object) -> Timecode | None:
    """SMPTE 12M as EXR and DPX pack it: two decimal digits in each byte, hours first, flags in the spare bits."""
    if not isinstance(packed, tuple):
        return None
    word = int(packed[0])
    hours, minutes, seconds, frames = (
        10 * ((word >> shift & mask) >> 4) + (word >> shift & 15)
        for shift, mask in ((24, 0x3F), (16, 0x7F), (8, 0x7F), (0, 0x3F))
    )
    return Timecode(hours, minutes, seconds, frames, bool(word & _DROP_BIT))


def _packed(timecode: Timecode) -> tuple[int, int]:
    word = 0
    for number in (timecode.hours, timecode.minutes, timecode.seconds, timecode.frames):
        word = word << 8 | (number // 10) << 4 | number % 10
    return word | (_DROP_BIT if timecode.drop else 0), 0


def _describe(spec: oiio.ImageSpec, header: ImageHeader, info: ClipInfo, number: int) -> None:
    if header.windows is not None and header.windows[:2] == (spec.width, spec.height):
        spec.x, spec.y, spec.full_x, spec.full_y, spec.full_width, spec.full_height = header.windows[2:]
    for name, kind, value in header.attributes:
        spec.attribute(name, oiio.TypeDesc(kind), value)
    if info.color_space:
        spec.attribute("oiio:ColorSpace", info.color_space)
    if info.timecode is not None:
        spec.attribute("smpte:TimeCode", oiio.TypeDesc("timecode"), _packed(info.timecode))
        spec.attribute("dpx:TimeCode", str(info.timecode))
    if info.fps is not None:
        spec.attribute("FramesPerSecond", oiio.TypeDesc("rational"), (info.fps.numerator, info.fps.denominator))
        spec.attribute("dpx:FrameRate", float(info.fps))
    spec.attribute("PixelAspectRatio", float(info.pixel_aspect))
    spec.attribute("dpx:FramePosition", number)
    spec.attribute("oiio:UnassociatedAlpha", 1)  # as it came: it is not multiplied in on the way
    spec.attribute("compression", "zip")


def _rounded_to(image: np.ndarray, bits: int) -> np.ndarray:
    """The nearest values that survive when all but the upper `bits` of 16 are cut off, as the writer does."""
    largest = 2**bits - 1
    codes = (image.astype(np.uint32) * largest + 32767) // 65535
    return ((codes << (16 - bits)) | (codes >> (2 * bits - 16))).astype(np.uint16)


def _reason(text: str) -> str:
    return " ".join(text.split()) or "it says nothing more"
