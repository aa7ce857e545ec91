"""Reads a clip: a run of images, or a video by whichever library is installed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from model.errors import FrameFormatError
from service.batch.errors import UnreadableError
from service.batch.media.clip_info import DEFAULT_FPS, ClipInfo
from service.batch.media.image_files import files_of, is_pattern, number_in
from service.batch.media.image_io import NO_HEADER, READABLE, ImageHeader, info_of, read_image
from service.batch.media.video_codecs import has_pyav
from service.wire.frame_wire import MAX_SIDE_PX, FrameFormat


@dataclass(frozen=True)
class FootageFrame:
    """One frame.

    image   (H, W, C) in the footage's number type
    time    when it is shown, in units of the footage's time_base
    header  what its file says, for a run of images
    """

    image: np.ndarray
    time: int
    header: ImageHeader = NO_HEADER


class Footage(ABC):
    """Frames in time order, all of one format.

    format          of each frame: RGB or RGBA, rows from the top, tight
    info            what else the source says
    first_number    of the first frame, in the clip's own numbering
    frame_count     None when only reading to the end tells
    reported_count  what a video's header says; None when it says nothing
    missing_bytes   what a video file says it has beyond its end: it was cut short
    time_base       seconds
    starts_anywhere whether the clock of its file begins where it likes: only spans of time count
    notes           what the user should know of it
    """

    path: Path
    format: FrameFormat
    info: ClipInfo
    first_number: int
    frame_count: int | None
    reported_count: int | None
    missing_bytes: int = 0
    starts_anywhere: bool = False
    time_base: Fraction
    notes: tuple[str, ...] = ()

    @abstractmethod
    def frames(self, start: int = 0) -> Iterator[FootageFrame]:
        """Frames from the one at index `start`. Raises UnreadableError, FrameFormatError for one that is damaged."""


def open_footage(path: Path) -> Footage:
    """Open a video file, an image, a folder of images, or a pattern such as shot_%04d.exr.

    Raises UnreadableError, InvalidInputError or FrameFormatError saying what is wrong with it.
    """
    if is_pattern(path) or path.is_dir():
        return ImageFootage(path)
    if not path.exists():
        raise UnreadableError(f"{path} does not exist")
    if not path.stat().st_size:
        raise UnreadableError(f"{path} is empty; is it complete?")
    if path.suffix.lower() in READABLE:
        return ImageFootage(path)
    if has_pyav():
        from service.batch.sources.av_footage import AvFootage

        return AvFootage(path)
    from service.batch.sources.opencv_video import OpenCvFootage

    return OpenCvFootage(path)


class ImageFootage(Footage):
    """One file per frame; numbers come from the file names where they have some."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._files = files_of(path)
        image, header = read_image(self._files[0])
        self.format = format_of(image)
        self.info = replace(info_of(header), pixel_format=_lossless_video_format(self.format))
        self.first_number = number_in(self._files[0])
        self.frame_count = self.reported_count = len(self._files)
        self.time_base = 1 / (self.info.fps or DEFAULT_FPS)

    def frames(self, start: int = 0) -> Iterator[FootageFrame]:
        """Read file after file."""
        for index, file in enumerate(self._files[start:], start):
            image, header = read_image(file)
            if format_of(image) != self.format:
                raise FrameFormatError(f"{file} is {format_of(image)}; the first frame is {self.format}")
            yield FootageFrame(image, index, header)


def format_of(image: np.ndarray) -> FrameFormat:
    """The format of (H, W, C). Raises FrameFormatError when it is larger than the service takes."""
    height, width, channels = image.shape
    if max(height, width) > MAX_SIDE_PX:
        raise FrameFormatError(f"frames may have at most {MAX_SIDE_PX} px a side; got {width} x {height}")
    return FrameFormat(width, height, np.dtype(image.dtype), channels)


def _lossless_video_format(frame_format: FrameFormat) -> str:
    kind = "gbrap" if frame_format.channels == 4 else "gbrp"
    return kind if frame_format.dtype.itemsize == 1 else f"{kind}16le"
