"""Writing what the demo made: PNG, MP4 and the contact sheet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np
import numpy.typing as npt

from examples.demo.media import Image

LABEL_HEIGHT_PX = 28


def to_bgr8(picture: Image) -> npt.NDArray[np.uint8]:
    """(H, W, 3 or 4) float32 RGB(A), 0..1, to (H, W, 3) uint8 BGR, rounded; values outside are clamped for display."""
    return np.rint(np.clip(picture[..., 2::-1], 0, 1) * 255).astype(np.uint8)


def write_png(path: Path, picture: Image) -> Path:
    """Write a picture of 0..1 as an 8-bit PNG."""
    if not cv2.imwrite(str(path), to_bgr8(picture)):
        raise OSError(f"cannot write {path}")
    return path


class Movie:
    """An MP4 that is written frame by frame; a context manager, so that it is closed whatever happens."""

    def __init__(self, path: Path, frames_per_second: float, width_px: int, height_px: int) -> None:
        self._path = path
        codec = cv2.VideoWriter.fourcc(*"mp4v")
        self._writer = cv2.VideoWriter(str(path), codec, frames_per_second, (width_px, height_px))
        if not self._writer.isOpened():
            raise OSError(f"OpenCV cannot write {path} as MPEG-4; is the folder writable?")

    def __enter__(self) -> Movie:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._writer.release()

    def add(self, picture: Image) -> None:
        """Append one frame, (H, W, 3 or 4) float32 RGB(A), of the movie's size."""
        self._writer.write(to_bgr8(picture))


def contact_sheet(rows: Sequence[Sequence[Image]], titles: Sequence[str], cell_width_px: int) -> Image:
    """Lay pictures out as a table with a line of titles; all are scaled to `cell_width_px`.

    rows     each a sequence of (H, W, 3 or 4) float32 pictures, one per title
    returns  (H', W', 3)  float32 RGB
    """
    lines = [np.concatenate([_cell(picture, cell_width_px) for picture in row], axis=1) for row in rows]
    header = np.zeros((LABEL_HEIGHT_PX, lines[0].shape[1], 3), np.uint8)
    for column, title in enumerate(titles):
        origin = (column * cell_width_px + 6, LABEL_HEIGHT_PX - 9)
        cv2.putText(header, title, origin, cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1, cv2.LINE_AA)
    return np.concatenate([header.astype(np.float32) / np.float32(255), *lines], axis=0)


def _cell(picture: Image, width_px: int) -> Image:
    height_px = round(picture.shape[0] * width_px / picture.shape[1])
    # INTER_AREA averages what a smaller picture leaves out, so thin edges stay visible on the sheet
    return cv2.resize(picture[..., :3], (width_px, height_px), interpolation=cv2.INTER_AREA).astype(np.float32)
