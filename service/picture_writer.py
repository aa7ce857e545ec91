"""Writes frames as a video file or as images. Nothing half-written ever bears the final name."""

from __future__ import annotations

import errno
import os
import shutil
from abc import ABC, abstractmethod
from pathlib import Path

import cv2
import numpy as np

from model.errors import FrameFormatError, InvalidInputError, StereoError
from service.footage import PATTERN
from service.frame_wire import FrameFormat

VIDEO_CODECS = {"mp4v": (".mp4", ".mov"), "ffv1": (".mkv", ".avi")}  # codec -> containers
IMAGE_DEPTHS = {".png": ("u1", "u2"), ".tif": ("u1", "u2", "f4"), ".tiff": ("u1", "u2", "f4"), ".jpg": ("u1",)}
CODECS = (*VIDEO_CODECS, "png", "tiff")
DEFAULT_IMAGE_NAME = "frame_%05d"


class WriteError(StereoError, OSError):
    """The output could not be written: disk full, no permission, no encoder."""


class PictureWriter(ABC):
    """Takes results in order.

    format  the pixels it wants: the result's, as near as the file can keep them
    """

    format: FrameFormat

    @abstractmethod
    def write(self, image: np.ndarray, number: int) -> None:
        """Write one frame, (H, W, C) in RGB order, numbered `number`. Raises WriteError."""

    @abstractmethod
    def finish(self) -> None:
        """Give the output its name. Raises WriteError."""

    @abstractmethod
    def discard(self) -> None:
        """Remove what was not finished."""


def open_writer(path: Path, codec: str | None, result: FrameFormat, fps: float) -> PictureWriter:
    """Choose a writer by the name of the output: .mp4 .mov .mkv .avi, an image, a pattern, or a folder.

    Raises InvalidInputError for a name or codec that cannot be.
    """
    suffix = path.suffix.lower()
    videos = {container: name for name, containers in VIDEO_CODECS.items() for container in containers}
    if suffix in videos:
        chosen = codec or videos[suffix]
        if suffix not in VIDEO_CODECS.get(chosen, ()):
            fitting = ", ".join(name for name, containers in VIDEO_CODECS.items() if suffix in containers)
            raise InvalidInputError(f"--codec {chosen} does not go into {suffix}; use {fitting}")
        return VideoWriter(path, chosen, result, fps)
    if suffix in IMAGE_DEPTHS:
        return ImageWriter(path, result)
    if suffix and not path.is_dir():
        known = ", ".join([*videos, *IMAGE_DEPTHS])
        raise InvalidInputError(f"the output {path.name} has an unknown kind {suffix}; use {known} or a folder")
    if codec not in (None, "png", "tiff"):
        raise InvalidInputError(f"--codec {codec} is for a video file; a folder takes png or tiff")
    # Float pixels need TIFF; PNG has at most 16 bit.
    kind = codec or ("tiff" if result.dtype.kind == "f" else "png")
    return ImageWriter(path / f"{DEFAULT_IMAGE_NAME}.{kind}", result)


class VideoWriter(PictureWriter):
    """8 bit RGB through OpenCV's FFmpeg; alpha is dropped."""

    def __init__(self, path: Path, codec: str, result: FrameFormat, fps: float) -> None:
        self._path = path
        self._partial = path.with_name(f".{path.stem}.partial-{os.getpid()}{path.suffix}")
        self._written = 0
        self.format = FrameFormat(result.width, result.height, np.dtype("u1"), 3)
        _make_folder(path.parent)
        fourcc = cv2.VideoWriter.fourcc(*(codec.upper() if codec == "ffv1" else codec))
        self._writer = cv2.VideoWriter(str(self._partial), cv2.CAP_FFMPEG, fourcc, fps, (result.width, result.height))
        if not self._writer.isOpened():
            self.discard()
            raise WriteError(
                f"cannot write {path} as {codec} at {result.width} x {result.height}; try .mkv or a folder"
            )

    def write(self, image: np.ndarray, number: int) -> None:
        """Encode one frame; OpenCV reports no failure here, so `finish` counts."""
        self._writer.write(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        self._written += 1

    def finish(self) -> None:
        """Check that the file has every frame, then rename it."""
        self._writer.release()
        capture = cv2.VideoCapture(str(self._partial))
        kept = int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) if capture.isOpened() else 0
        capture.release()
        if kept != self._written:
            free = shutil.disk_usage(self._path.parent).free
            raise WriteError(
                f"{self._path} would have {kept} of {self._written} frames; the disk has {free / 1e6:.0f} MB free: "
                "make room and render again"
            )
        os.replace(self._partial, self._path)

    def discard(self) -> None:
        """Remove the partial file."""
        self._writer.release()
        self._partial.unlink(missing_ok=True)


class ImageWriter(PictureWriter):
    """One file per frame, each written beside its place and renamed."""

    def __init__(self, path: Path, result: FrameFormat) -> None:
        self._pattern = path
        self._is_pattern = PATTERN.search(path.name) is not None
        depths = IMAGE_DEPTHS[path.suffix.lower()]
        dtype = result.dtype if result.dtype.str[1:] in depths else np.dtype("f4" if "f4" in depths else depths[-1])
        channels = 3 if path.suffix.lower() == ".jpg" else result.channels
        self.format = FrameFormat(result.width, result.height, dtype, channels)
        self._written = 0
        _make_folder(path.parent)

    def write(self, image: np.ndarray, number: int) -> None:
        """Encode one frame and put it in its place."""
        if not self._is_pattern and self._written:
            raise InvalidInputError(
                f"{self._pattern.name} can hold one frame only; use a folder or a pattern like {DEFAULT_IMAGE_NAME}.png"
            )
        path = self._pattern.with_name(self._pattern.name % number) if self._is_pattern else self._pattern
        order = cv2.COLOR_RGBA2BGRA if image.shape[2] == 4 else cv2.COLOR_RGB2BGR
        ok, encoded = cv2.imencode(path.suffix, cv2.cvtColor(image, order))
        if not ok:
            raise FrameFormatError(f"cannot encode {self.format} as {path.suffix}")
        partial = path.with_name(f".{path.name}.partial-{os.getpid()}")
        try:
            partial.write_bytes(encoded.data)
            os.replace(partial, path)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise WriteError(_explained(path, error)) from None
        self._written += 1

    def finish(self) -> None:
        """Every frame is in its place already."""

    def discard(self) -> None:
        """Frames that are complete stay."""


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(_explained(folder, error)) from None


def _explained(path: Path, error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return f"cannot write {path}: the disk is full; make room and render again"
    return f"cannot write {path}: {error.strerror}"
