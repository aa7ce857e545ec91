"""Fills side by side, cut around the largest hole, for the eye to judge."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from model.errors import InvalidInputError
from model.evaluate.windows import Window

_CUT_HEIGHT, _CUT_WIDTH = 144, 208
_CAPTION_PX = 18
_JPEG_QUALITY = 88


class Sheet:
    """One row for the first window of every medium that matches a pattern: the hole, every fill, the truth.

    path   JPEG or PNG
    media  names of all there will be

    Raises InvalidInputError when no medium matches or the file cannot be written, before anything is measured.
    """

    def __init__(self, path: Path, media: Iterable[str], patterns: tuple[str, ...]) -> None:
        self._awaited = {medium for medium in media if any(fnmatch(medium, pattern) for pattern in patterns)}
        if not self._awaited:
            raise InvalidInputError(f"no window is of a medium that matches {patterns}; nothing to picture")
        self._path, self._rows, self._names = path, [], ()
        if not cv2.haveImageWriter(str(path)) or not path.parent.is_dir():
            raise self._unwritable()

    def add(self, window: Window, images: dict[str, Tensor]) -> None:
        """Take a window with frames (T, 3, H, W) by name, if its medium has no row yet."""
        if window.medium in self._awaited:
            self._awaited.remove(window.medium)
            self._names = ("hole", *images, "truth")
            self._rows.append(_row(window, list(images.values())))

    def save(self) -> None:
        """Write what was added. Raises InvalidInputError when the file cannot be written."""
        picture = np.concatenate([_captions(self._names, self._rows[0].shape[1]), *self._rows])
        options = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY] if self._path.suffix in (".jpg", ".jpeg") else []
        if not cv2.imwrite(str(self._path), picture[..., ::-1], options):
            raise self._unwritable()

    def _unwritable(self) -> InvalidInputError:
        return InvalidInputError(f"{self._path} cannot be written; expected an existing folder and .jpg or .png")


def _row(window: Window, images: list[Tensor]) -> np.ndarray:
    middle = len(window.view) // 2
    magenta = torch.tensor((1.0, 0.0, 1.0)).view(3, 1, 1)
    pictures = [torch.where(window.hole, magenta, window.view), *images, window.truth]
    cut = _cut_around(window.hole[middle, 0] & ~window.edge[middle, 0])
    return np.concatenate([_bytes(picture[middle][cut]) for picture in pictures], axis=1)


def _cut_around(hole: Tensor) -> tuple[slice, slice, slice]:
    """The place of one size that holds most of the hole."""
    height, width = hole.shape
    tall, wide = min(_CUT_HEIGHT, height), min(_CUT_WIDTH, width)
    sums = torch.nn.functional.pad(hole.double().cumsum(0).cumsum(1), (1, 0, 1, 0))
    inside = sums[tall:, wide:] - sums[:-tall, wide:] - sums[tall:, :-wide] + sums[:-tall, :-wide]
    top, left = divmod(int(inside.argmax()), inside.shape[1])
    return slice(None), slice(top, top + tall), slice(left, left + wide)


def _bytes(picture: Tensor) -> np.ndarray:
    return (picture.clamp(0, 1).permute(1, 2, 0) * 255).round().byte().numpy()


def _captions(names: tuple[str, ...], width_px: int) -> np.ndarray:
    strip = np.full((_CAPTION_PX, width_px, 3), 255, np.uint8)
    for number, name in enumerate(names):
        place = (number * width_px // len(names) + 4, _CAPTION_PX - 5)
        cv2.putText(strip, name, place, cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 0), 1, cv2.LINE_AA)
    return strip
