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
from model.evaluate.fills import Fill
from model.evaluate.windows import Window

_CUT_HEIGHT, _CUT_WIDTH = 144, 208
_CAPTION_PX = 18
_JPEG_QUALITY = 88


def save_sheet(path: Path, windows: Iterable[Window], fills: dict[str, Fill], patterns: tuple[str, ...]) -> None:
    """Write a JPEG or PNG: one row for each window whose medium matches a pattern, the hole first, the truth last.

    Raises InvalidInputError when nothing matches.
    """
    shown = [window for window in windows if any(fnmatch(window.medium, pattern) for pattern in patterns)]
    if not shown:
        raise InvalidInputError(f"no window is of a medium that matches {patterns}; nothing to picture")
    rows = [_row(window, fills) for window in shown]
    picture = np.concatenate([_captions(("hole", *fills, "truth"), rows[0].shape[1]), *rows])
    options = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY] if path.suffix in (".jpg", ".jpeg") else []
    if not cv2.haveImageWriter(str(path)) or not cv2.imwrite(str(path), picture[..., ::-1], options):
        raise InvalidInputError(f"{path} cannot be written; expected an existing folder and .jpg or .png")


def _row(window: Window, fills: dict[str, Fill]) -> np.ndarray:
    middle = len(window.view) // 2
    magenta = torch.tensor((1.0, 0.0, 1.0)).view(3, 1, 1)
    pictures = [torch.where(window.hole, magenta, window.view)]
    pictures += [fill(window) for fill in fills.values()]
    cut = _cut_around(window.hole[middle, 0] & ~window.edge[middle, 0])
    return np.concatenate([_bytes(picture[middle][cut]) for picture in (*pictures, window.truth)], axis=1)


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
