"""Reads a video file or a run of images as RGB(A) frames. Richer formats (EXR, 10 bit video, audio) are issue 6."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

from model.errors import FrameFormatError, InvalidInputError
from service.frame_wire import MAX_SIDE_PX, FrameFormat

IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".ppm", ".pgm", ".pfm", ".hdr"}
PATTERN = re.compile(r"%0?\d*d")
DEFAULT_FPS = 24.0
_CHANNELS_TO_RGB = {1: cv2.COLOR_GRAY2RGB, 3: cv2.COLOR_BGR2RGB, 4: cv2.COLOR_BGRA2RGBA}


class Footage(ABC):
    """Frames in time order, all of one format.

    format        of each frame: RGB or RGBA, rows from the top, tight
    first_number  of the first frame, in the clip's own numbering
    frame_count   None when only reading to the end tells
    reported_count  what a video's header says; None when it says nothing
    fps           frames per second; None when the source does not say
    """

    format: FrameFormat
    first_number: int
    frame_count: int | None
    reported_count: int | None
    fps: float | None

    @abstractmethod
    def frames(self) -> Iterator[np.ndarray]:
        """Each frame, (H, W, C), in the format's number type. Raises FrameFormatError for one that cannot be read."""


def open_footage(path: Path) -> Footage:
    """Open a video file, an image, a folder of images, or a pattern such as shot_%04d.png.

    Raises InvalidInputError or FrameFormatError saying what is wrong with it.
    """
    if PATTERN.search(path.name):
        return ImageFootage(_matching(path))
    if path.is_dir():
        files = sorted(entry for entry in path.iterdir() if entry.suffix.lower() in IMAGE_SUFFIXES)
        if not files:
            raise InvalidInputError(f"the folder {path} holds no image ({', '.join(sorted(IMAGE_SUFFIXES))})")
        return ImageFootage(files)
    if not path.exists():
        raise InvalidInputError(f"{path} does not exist")
    if path.suffix.lower() == ".exr":
        raise FrameFormatError(f"{path}: EXR is not read yet; convert it to 32 bit float TIFF, which loses nothing")
    return ImageFootage([path]) if path.suffix.lower() in IMAGE_SUFFIXES else VideoFootage(path)


class ImageFootage(Footage):
    """One file per frame; numbers come from the file names where they have some."""

    def __init__(self, files: list[Path]) -> None:
        self._files = files
        self.format = _format_of(_read_image(files[0]))
        self.first_number = _number_in(files[0])
        self.frame_count = self.reported_count = len(files)
        self.fps = None

    def frames(self) -> Iterator[np.ndarray]:
        """Read file after file."""
        for file in self._files:
            image = _read_image(file)
            if _format_of(image) != self.format:
                raise FrameFormatError(f"{file} is {_format_of(image)}; the first frame is {self.format}")
            yield image


class VideoFootage(Footage):
    """A video file, decoded to 8 bit RGB by OpenCV."""

    def __init__(self, path: Path) -> None:
        self._path = path
        capture = self._opened()
        ok, image = capture.read()
        if not ok:
            raise FrameFormatError(f"{path} has no video frame that can be read")
        self.format = _format_of(_as_rgb(image))
        self.first_number = 0
        self.frame_count = None
        self.reported_count = max(0, int(capture.get(cv2.CAP_PROP_FRAME_COUNT))) or None
        self.fps = capture.get(cv2.CAP_PROP_FPS) or None
        capture.release()

    def frames(self) -> Iterator[np.ndarray]:
        """Decode to the end; what the header says about the length is not trusted."""
        capture = self._opened()
        try:
            while True:
                ok, image = capture.read()
                if not ok:
                    return
                yield _as_rgb(image)
        finally:
            capture.release()

    def _opened(self) -> cv2.VideoCapture:
        capture = cv2.VideoCapture(str(self._path))
        if not capture.isOpened():
            raise FrameFormatError(f"{self._path} is no video or image that can be read; is it complete?")
        return capture


def _read_image(path: Path) -> np.ndarray:
    try:
        encoded = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise InvalidInputError(f"cannot read {path}: {error.strerror}") from None
    image = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED) if encoded.size else None
    if image is None:
        raise FrameFormatError(f"{path} is no image that can be read; is it complete?")
    return _as_rgb(image)


def _as_rgb(image: np.ndarray) -> np.ndarray:
    """(H, W[, C]) as OpenCV gives it to (H, W, 3 or 4) in RGB order."""
    channels = 1 if image.ndim == 2 else image.shape[2]
    if channels not in _CHANNELS_TO_RGB or image.dtype not in (np.uint8, np.uint16, np.float32):
        raise FrameFormatError(
            f"images must have 1, 3 or 4 channels of 8 or 16 bit or float; got {channels} {image.dtype}"
        )
    return cv2.cvtColor(image, _CHANNELS_TO_RGB[channels])


def _format_of(image: np.ndarray) -> FrameFormat:
    height, width, channels = image.shape
    if max(height, width) > MAX_SIDE_PX:
        raise FrameFormatError(f"frames may have at most {MAX_SIDE_PX} px a side; got {width} x {height}")
    return FrameFormat(width, height, np.dtype(image.dtype), channels)


def _matching(pattern: Path) -> list[Path]:
    """Files of a printf pattern, by number; a gap is an error, for frames must not slip."""
    before, after = PATTERN.split(pattern.name, maxsplit=1)
    name = re.compile(re.escape(before) + r"(\d+)" + re.escape(after))
    folder = pattern.parent
    entries = folder.iterdir() if folder.is_dir() else ()
    numbered = sorted((int(found[1]), entry) for entry in entries if (found := name.fullmatch(entry.name)))
    if not numbered:
        raise InvalidInputError(f"no file matches {pattern}")
    for (number, _), (following, _) in pairwise(numbered):
        if following != number + 1:
            raise InvalidInputError(f"{pattern}: frame {number + 1} is missing between {number} and {following}")
    return [entry for _, entry in numbered]


def _number_in(path: Path) -> int:
    """The last number in a file name, 0 when there is none: frame_0101.png is 101."""
    digits = re.findall(r"\d+", path.stem)
    return int(digits[-1]) if digits else 0
