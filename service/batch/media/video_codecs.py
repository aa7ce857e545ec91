"""Which codecs there are, what they go into, which pixels they keep, and how they are set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec

from model.errors import InvalidInputError
from service.batch.media.clip_info import ClipInfo
from service.batch.media.planar_yuv import PlanarFormat, planar_format

_MATROSKA, _QUICKTIME, _MP4 = ".mkv", ".mov", ".mp4"
VIDEO_SUFFIXES = (_MP4, _QUICKTIME, _MATROSKA, ".avi")


def has_pyav() -> bool:
    """Whether the extra [video] is installed."""
    return find_spec("av") is not None


@dataclass(frozen=True)
class VideoCodec:
    """One codec by the name users give it.

    encoder        FFmpeg's name
    pixel_formats  FFmpeg's names of what it keeps
    any_size       whether sizes that chroma does not divide work
    says_range     whether the stream, or the only container it goes into, can say that codes are full range
    """

    containers: tuple[str, ...]
    encoder: str
    pixel_formats: tuple[str, ...]
    options: Mapping[str, str] = field(default_factory=dict)
    any_size: bool = False
    says_range: bool = True


def _formats(kinds: Iterable[str], bits: Iterable[int]) -> tuple[str, ...]:
    return tuple(kind if count == 8 else f"{kind}{count}le" for kind in kinds for count in bits)


_YUV = ("yuv420p", "yuv422p", "yuv444p")
_FFV1 = (
    *_formats(_YUV, (8, 9, 10, 12, 14, 16)),
    *_formats(("yuva420p", "yuva422p", "yuva444p"), (8, 9, 10, 16)),
    *_formats(("gbrp",), (9, 10, 12, 14, 16)),
    *_formats(("gbrap",), (10, 12, 14, 16)),
)

CODECS: dict[str, VideoCodec] = {
    "prores": VideoCodec((_QUICKTIME,), "prores_ks", ("yuv422p10le",), {"profile": "hq"}, says_range=False),
    "prores-lt": VideoCodec((_QUICKTIME,), "prores_ks", ("yuv422p10le",), {"profile": "lt"}, says_range=False),
    "prores-4444": VideoCodec(
        (_QUICKTIME,), "prores_ks", ("yuv444p10le", "yuva444p10le"), {"profile": "4444", "alpha_bits": "16"},
        says_range=False,
    ),
    "dnxhr-hq": VideoCodec((_QUICKTIME,), "dnxhd", ("yuv422p",), {"profile": "dnxhr_hq"}),
    "dnxhr-hqx": VideoCodec((_QUICKTIME,), "dnxhd", ("yuv422p10le",), {"profile": "dnxhr_hqx"}),
    "dnxhr-444": VideoCodec((_QUICKTIME,), "dnxhd", ("yuv444p10le",), {"profile": "dnxhr_444"}),
    # No B frames: then decoding order is showing order, and parts follow each other at any frame rate.
    "h264": VideoCodec(
        (_MP4, _QUICKTIME, _MATROSKA), "libx264",
        _formats(_YUV, (8, 10)), {"crf": "16", "preset": "medium", "bf": "0"},
    ),
    "hevc": VideoCodec(
        (_MP4, _QUICKTIME, _MATROSKA), "libx265",
        _formats(_YUV, (8, 10, 12)), {"crf": "16", "preset": "medium", "bf": "0"},
    ),
    "ffv1": VideoCodec((_MATROSKA, ".avi"), "ffv1", _FFV1, {"level": "3", "g": "1", "slicecrc": "1"}, any_size=True),
}  # fmt: skip


def default_codec(suffix: str, source: PlanarFormat) -> str:
    """The codec of a container that says nothing else: 10 bit in .mp4 is HEVC, for hardly anything plays H.264 so."""
    if suffix == _MP4:
        return "hevc" if source.bits > 8 and not source.is_rgb else "h264"
    return "prores" if suffix == _QUICKTIME else "ffv1"


def choose_pixel_format(name: str, info: ClipInfo, width: int, height: int) -> PlanarFormat:
    """Of what the codec keeps, the format that loses least of the source and wastes least.

    Raises InvalidInputError when the size does not go into any of them.
    """
    codec = CODECS[name]
    source = planar_format(info.pixel_format)
    assert source is not None
    formats = [fmt for text in codec.pixel_formats if (fmt := planar_format(text)) is not None]
    fitting = [
        fmt for fmt in formats if codec.any_size or not (width % fmt.chroma_step[0] or height % fmt.chroma_step[1])
    ]
    if not fitting:
        raise InvalidInputError(
            f"{name} needs even sizes; the output is {width} x {height}: use ffv1 in .mkv, a run of images, or crop it"
        )
    return min(fitting, key=lambda fmt: _loss(source, fmt))


def _loss(source: PlanarFormat, target: PlanarFormat) -> tuple:
    """What `target` loses of `source`, most painful first; then what it wastes."""
    across, down = target.chroma_step
    own_across, own_down = source.chroma_step
    return (
        source.has_alpha > target.has_alpha,
        max(0, min(source.bits, 16) - target.bits),
        max(0, across - own_across) + max(0, down - own_down),
        source.is_rgb != target.is_rgb,
        target.has_alpha > source.has_alpha,
        max(0, target.bits - source.bits),
        max(0, own_across - across) + max(0, own_down - down),
    )


def says_range(codec: str, suffix: str) -> bool:
    """Whether a file of that codec can say that its codes are full range; without a word they are limited."""
    return CODECS[codec].says_range and suffix != ".avi"


def encoder_options(codec: str, info: ClipInfo, own: Mapping[str, str]) -> dict[str, str]:
    """Options for FFmpeg: ours, HDR data for x264 and x265, which write them into the stream, and the user's own."""
    encoder, options = CODECS[codec].encoder, {**CODECS[codec].options, **own}
    if encoder in _X26:
        name, display_key, light_key = _X26[encoder]
        # x265 would print beside the progress bar; and each frame gets a hash, by which decoders find damage.
        parts = ["log-level=error", "hash=1"] if encoder == "libx265" else []
        parts += _hdr_parameters(info, display_key, light_key)
        parts += [own[name]] if name in own else []
        if parts:
            options[name] = ":".join(parts)
    return options


# Encoder -> option that holds its own parameters, and their names for ST 2086 and CTA 861.3.
_X26 = {
    "libx265": ("x265-params", "master-display", "max-cll"),
    "libx264": ("x264-params", "mastering-display", "cll"),
}


def _hdr_parameters(info: ClipInfo, display_key: str, light_key: str) -> list[str]:
    parameters = []
    if (screen := info.mastering) is not None:
        named = {"G": screen.green, "B": screen.blue, "R": screen.red, "WP": screen.white}
        points = "".join(f"{name}({round(x * 50000)},{round(y * 50000)})" for name, (x, y) in named.items())
        luminance = f"L({round(screen.max_luminance * 10000)},{round(screen.min_luminance * 10000)})"
        parameters.append(f"{display_key}={points}{luminance}")
    if info.light is not None:
        parameters.append(f"{light_key}={info.light.max_content},{info.light.max_frame_average}")
    return parameters


def with_colour_volume(frame: bytes, matrix: int) -> bytes:
    """Say in the header of a DNxHR frame what its matrix is; FFmpeg writes BT.709 whatever it is told.

    SMPTE ST 2019-1: bits 1 and 2 of byte 0x2C; 0 is BT.709, 1 BT.2020 (not constant luminance), 3 not said.
    """
    volume = {1: 0, 9: 1}.get(matrix, 3)
    header = bytearray(frame)
    header[0x2C] = header[0x2C] & ~0b110 | volume << 1
    return bytes(header)
