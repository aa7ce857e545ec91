"""Writes a run of images, each beside its place and renamed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from model.errors import InvalidInputError
from service.batch.durable import make_folder_of, put_in_place
from service.batch.errors import WriteError, write_error
from service.batch.media.clip_info import DEFAULT_FPS
from service.batch.media.image_files import is_pattern, numbered_files
from service.batch.media.image_io import WRITABLE, write_image
from service.batch.outputs.picture_writer import DEFAULT_IMAGE_NAME, Delivery, FrameLabel, PictureWriter, TimeSpan

DPX_BITS = 10


class ImageWriter(PictureWriter):
    """One file per frame, numbered as the source's frames are, with each frame's own timecode."""

    in_place = True

    def __init__(self, path: Path, delivery: Delivery) -> None:
        self._pattern, self._delivery = path, delivery
        self._is_pattern = is_pattern(path)
        suffix, result = path.suffix.lower(), delivery.format
        kept = WRITABLE[suffix]
        dtype = result.dtype if result.dtype.str[1:] in kept else np.dtype(_nearest(result.dtype, kept))
        self.format = replace(result, dtype=dtype, channels=3 if suffix == ".jpg" else result.channels)
        self.notes = []
        self._written = 0

    def begin(self, part: str) -> None:
        """Make sure of the folder."""
        make_folder_of(self._pattern)

    def write(self, image: np.ndarray, label: FrameLabel) -> int:
        """Encode one frame and put it in its place."""
        if not self._is_pattern and self._written:
            raise InvalidInputError(
                f"{self._pattern.name} can hold one frame only; use a folder or a pattern like {DEFAULT_IMAGE_NAME}.png"
            )
        path = self._path_of(label.number)
        partial = path.with_name(f".{path.stem}.partial-{os.getpid()}{path.suffix}")
        info = self._delivery.info
        if info.timecode is not None:
            later = label.number - self._delivery.first_number
            info = replace(info, timecode=info.timecode.plus(later, info.fps or DEFAULT_FPS))
        bits = (label.header.bits or DPX_BITS) if path.suffix.lower() == ".dpx" else 0
        try:
            write_image(partial, image, label.header, info, label.number, bits)
            put_in_place(partial, path)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise (error if isinstance(error, WriteError) else write_error(path, error)) from None
        self._written += 1
        return 0

    def _path_of(self, number: int) -> Path:
        return self._pattern.with_name(self._pattern.name % number) if self._is_pattern else self._pattern

    def end(self) -> None:
        """Every frame is in its place already."""

    def abandon(self) -> None:
        """Frames that are complete stay."""

    def holds(self, part: str, numbers: range) -> bool:
        """Whether each of the files is there."""
        return all(self._path_of(number).exists() for number in numbers)

    def finish(self, parts: Sequence[str], span: TimeSpan | None) -> None:
        """Every frame is in its place already."""

    def existing(self) -> Path | None:
        """The first image that one of ours would replace; those of other frames are not in the way."""
        if not self._is_pattern:
            return self._pattern if self._pattern.exists() else None
        first, last = self._delivery.first_number, self._delivery.last_number
        ours = (path for number, path in numbered_files(self._pattern) if first <= number <= (last or number))
        return next(ours, None)


def _nearest(dtype: np.dtype, kept: tuple[str, ...]) -> str:
    """Float stays float, half included; else the deepest integer that is no deeper than need be."""
    if dtype.kind == "f":
        return next((kind for kind in reversed(kept) if kind[0] == "f"), kept[-1])
    deep_enough = [kind for kind in kept if np.dtype(kind).itemsize >= dtype.itemsize]
    return deep_enough[0] if deep_enough else kept[-1]
