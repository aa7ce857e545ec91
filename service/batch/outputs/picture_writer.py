"""Where one output goes, part by part. Nothing half-written ever bears the final name of a video."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np

from model.errors import InvalidInputError
from service.batch.media.clip_info import ClipInfo
from service.batch.media.image_files import is_pattern
from service.batch.media.image_io import NO_HEADER, WRITABLE, ImageHeader
from service.batch.media.video_codecs import CODECS, VIDEO_SUFFIXES, has_pyav
from service.wire.frame_wire import FrameFormat

DEFAULT_IMAGE_NAME = "frame_%05d"
OPENCV_CODECS = {"mp4v": (".mp4", ".mov"), "ffv1": (".mkv", ".avi")}
IMAGE_KINDS = ("png", "tiff", "exr", "dpx")
ALL_CODECS = (*CODECS, "mp4v", *IMAGE_KINDS)


@dataclass(frozen=True)
class OutputFile:
    """One thing to make of a clip.

    kind     one of model.settings.OUTPUTS, or "vr180"
    path     a video, an image, a pattern, or a folder
    codec    None: by the name of the path
    options  of FFmpeg's encoder, over ours
    """

    kind: str
    path: Path
    codec: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Delivery:
    """What a writer must know of the clip.

    source        the file, for the sound in it; None for images
    info          of the source; the timecode is that of the first frame that is rendered
    format        of the results
    first_number  of the frames that are rendered
    last_number   None: the clip's own last, whichever it is
    """

    source: Path | None
    info: ClipInfo
    format: FrameFormat
    time_base: Fraction
    first_number: int
    last_number: int | None = None


@dataclass(frozen=True)
class FrameLabel:
    """Which frame a result is: its number, when it is shown, and what its file said."""

    number: int
    time: int
    header: ImageHeader = NO_HEADER


TimeSpan = tuple[int, int]
"""When the first frame is shown and the last one ends, in the clip's time_base."""


class PictureWriter(ABC):
    """Takes results in order, in parts; each part is durable once `end` returns.

    format    the pixels it wants: the result's, as near as the file can keep them
    notes     what it became, and what could not be carried on, one sentence each
    in_place  whether frames go at once where they will stay
    """

    format: FrameFormat
    notes: list[str]
    in_place: bool = False

    @abstractmethod
    def begin(self, part: str) -> None:
        """Start a part, replacing one of that name. Raises WriteError."""

    @abstractmethod
    def write(self, image: np.ndarray, label: FrameLabel) -> int:
        """Write one frame, (H, W, C) in RGB order; return how many samples had to be clamped. Raises WriteError."""

    @abstractmethod
    def end(self) -> None:
        """Make the part durable. Raises WriteError."""

    @abstractmethod
    def abandon(self) -> None:
        """Let go of a part that is not finished."""

    @abstractmethod
    def holds(self, part: str, numbers: range) -> bool:
        """Whether a part that was ended once is still there, with all its frames."""

    @abstractmethod
    def finish(self, parts: Sequence[str], span: TimeSpan | None) -> None:
        """Make the output of its parts and give it its name.

        span  what was rendered, where that is not the whole clip: sound is cut to it

        Raises WriteError.
        """

    @abstractmethod
    def existing(self) -> Path | None:
        """What lies where the output will go."""


def open_writer(output: OutputFile, delivery: Delivery, work: Path) -> PictureWriter:
    """Choose a writer by the name of the output.

    work  a folder of this output's own, for parts

    Raises InvalidInputError for a name or codec that cannot be.
    """
    path, suffix = output.path, output.path.suffix.lower()
    if suffix in VIDEO_SUFFIXES:
        return _video_writer(output, delivery, work)
    from service.batch.outputs.image_writer import ImageWriter

    if suffix in WRITABLE:
        return ImageWriter(path, delivery)
    if suffix and not path.is_dir():
        known = ", ".join([*VIDEO_SUFFIXES, *WRITABLE])
        raise InvalidInputError(f"the output {path.name} has an unknown kind {suffix}; use {known} or a folder")
    if output.codec not in (None, *IMAGE_KINDS):
        raise InvalidInputError(f"--codec {output.codec} is for a video file; a folder takes {', '.join(IMAGE_KINDS)}")
    # Float pixels need EXR; PNG has at most 16 bit.
    kind = output.codec or ("exr" if delivery.format.dtype.kind == "f" else "png")
    return ImageWriter(path / f"{DEFAULT_IMAGE_NAME}.{kind}", delivery)


def _video_writer(output: OutputFile, delivery: Delivery, work: Path) -> PictureWriter:
    suffix, codec = output.path.suffix.lower(), output.codec
    if is_pattern(output.path):
        raise InvalidInputError(f"{output.path.name} is a pattern; a video is one file")
    if has_pyav() and codec != "mp4v":
        from service.batch.outputs.av_writer import AvWriter

        _check_container(output, {name: entry.containers for name, entry in CODECS.items()})
        return AvWriter(output, delivery, work)
    if codec in CODECS and codec not in OPENCV_CODECS:
        raise InvalidInputError(f"--codec {codec} needs PyAV: pip install 'stereo-convert[video]', or use a folder")
    from service.batch.outputs.opencv_writer import OpenCvWriter

    _check_container(output, OPENCV_CODECS)
    chosen = codec or next(name for name, containers in OPENCV_CODECS.items() if suffix in containers)
    return OpenCvWriter(output.path, chosen, delivery, work)


def _check_container(output: OutputFile, containers: Mapping[str, tuple[str, ...]]) -> None:
    suffix = output.path.suffix.lower()
    if output.codec is not None and suffix not in containers.get(output.codec, ()):
        fitting = ", ".join(name for name, suffixes in containers.items() if suffix in suffixes)
        raise InvalidInputError(f"--codec {output.codec} does not go into {suffix}; use {fitting}")
