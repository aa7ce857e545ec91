"""Writes video by OpenCV: 8 bit RGB, no sound. Parts are kept as PNG, for OpenCV cannot join videos."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from service.batch.durable import make_folder_of, put_in_place, sync
from service.batch.errors import WriteError, write_error
from service.batch.media.clip_info import DEFAULT_FPS, ClipInfo
from service.batch.media.image_io import NO_HEADER, read_image, write_image
from service.batch.outputs.picture_writer import Delivery, FrameLabel, PictureWriter, TimeSpan
from service.wire.frame_wire import FrameFormat


class OpenCvWriter(PictureWriter):
    """8 bit RGB through OpenCV's FFmpeg; alpha is dropped."""

    def __init__(self, path: Path, codec: str, delivery: Delivery, work: Path) -> None:
        self._path, self._codec, self._work = path, codec, work
        self._fps = delivery.info.fps or DEFAULT_FPS
        self.format = FrameFormat(delivery.format.width, delivery.format.height, np.dtype("u1"), 3)
        self.notes = [f"{path.name} is 8 bit without sound, timecode or HDR: install the extra [video] for these"]
        self._part = work

    def begin(self, part: str) -> None:
        """Make the part's folder."""
        self._part = self._work / part
        try:
            shutil.rmtree(self._part, ignore_errors=True)
            self._part.mkdir(parents=True)
        except OSError as error:
            raise write_error(self._part, error) from None

    def write(self, image: np.ndarray, label: FrameLabel) -> int:
        """Keep one frame, losslessly."""
        write_image(self._part / f"{label.number:09}.png", image, NO_HEADER, ClipInfo(), label.number, 0)
        return 0

    def end(self) -> None:
        """Wait until the frames are on the disk."""
        for file in self._part.iterdir():
            sync(file)
        sync(self._part)

    def abandon(self) -> None:
        """An unfinished part is replaced when its turn comes again."""

    def holds(self, part: str, numbers: range) -> bool:
        """Whether each of the pictures is there."""
        return all((self._work / part / f"{number:09}.png").exists() for number in numbers)

    def finish(self, parts: Sequence[str], span: TimeSpan | None) -> None:
        """Encode all frames, check that the file has each of them, then rename it."""
        partial = self._path.with_name(f".{self._path.stem}.partial-{os.getpid()}{self._path.suffix}")
        files = [file for part in parts for file in sorted((self._work / part).iterdir())]
        make_folder_of(self._path)
        try:
            kept = self._encoded(files, partial)
            if kept != len(files):
                free = shutil.disk_usage(self._path.parent).free
                raise WriteError(
                    f"{self._path} would have {kept} of {len(files)} frames; the disk has {free / 1e6:.0f} MB free: "
                    "make room and render again"
                )
            put_in_place(partial, self._path)
        except OSError as error:
            raise (error if isinstance(error, WriteError) else write_error(self._path, error)) from None
        finally:
            partial.unlink(missing_ok=True)

    def _encoded(self, files: Sequence[Path], partial: Path) -> int:
        """Encode; return how many frames can be read back, for OpenCV reports no failure of its own."""
        name = self._codec.upper() if self._codec == "ffv1" else self._codec
        size = (self.format.width, self.format.height)
        writer = cv2.VideoWriter(str(partial), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*name), float(self._fps), size)
        if not writer.isOpened():
            raise WriteError(f"cannot write {self._path} as {self._codec} at {size[0]} x {size[1]}; try a folder")
        try:
            for file in files:
                writer.write(cv2.cvtColor(read_image(file)[0], cv2.COLOR_RGB2BGR))
        finally:
            writer.release()
        capture = cv2.VideoCapture(str(partial))
        count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) if capture.isOpened() else 0
        capture.release()
        return count

    def existing(self) -> Path | None:
        """The video."""
        return self._path if self._path.exists() else None
