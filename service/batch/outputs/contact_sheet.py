"""Small pictures of a clip and what was made of it: a strip for each part, a sheet of strips for the report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

THUMBNAIL_WIDTH_PX = 240
STRIPS = 8
"""Of a sheet, at most."""

_CAPTION_PX = 16
_GAP_PX = 4
_GRAY, _WHITE = 32, (230, 230, 230)


def save_strip(path: Path, pictures: Sequence[tuple[str, np.ndarray]]) -> None:
    """Write pictures side by side with their captions.

    pictures  (caption, (C, H, W) float32, 0..1 is what is shown)
    """
    tiles = [_tile(caption, picture) for caption, picture in pictures]
    height = max(tile.shape[0] for tile in tiles)
    padded = [_padded(tile, height, tile.shape[1] + _GAP_PX) for tile in tiles]
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.hstack(padded))


def save_sheet(path: Path, strips: Sequence[Path]) -> None:
    """Write a few of the strips, evenly spread, below each other."""
    chosen = [strips[index] for index in _spread(len(strips), STRIPS)]
    images = [image for strip in chosen if (image := cv2.imread(str(strip))) is not None]
    if not images:
        return
    width = max(image.shape[1] for image in images)
    cv2.imwrite(str(path), np.vstack([_padded(image, image.shape[0] + _GAP_PX, width) for image in images]))


def _spread(count: int, wanted: int) -> list[int]:
    """At most `wanted` of `count` indices, the first and the last among them."""
    if count <= wanted:
        return list(range(count))
    return [round(index * (count - 1) / (wanted - 1)) for index in range(wanted)]


def _tile(caption: str, picture: np.ndarray) -> np.ndarray:
    """(h, w, 3) BGR: the picture at the thumbnails' width, its caption below."""
    channels, height, width = picture.shape
    small = cv2.resize(
        np.ascontiguousarray(picture[: min(channels, 3)].transpose(1, 2, 0)),
        (THUMBNAIL_WIDTH_PX, max(1, round(height * THUMBNAIL_WIDTH_PX / width))),
        interpolation=cv2.INTER_AREA if width > THUMBNAIL_WIDTH_PX else cv2.INTER_NEAREST,
    )
    shown = np.rint(255 * np.clip(np.nan_to_num(small), 0, 1)).astype(np.uint8)[..., ::-1]
    tile = _padded(shown, shown.shape[0] + _CAPTION_PX, THUMBNAIL_WIDTH_PX)
    cv2.putText(tile, caption, (2, tile.shape[0] - 4), cv2.FONT_HERSHEY_SIMPLEX, 0.4, _WHITE, 1, cv2.LINE_AA)
    return tile


def _padded(image: np.ndarray, height: int, width: int) -> np.ndarray:
    canvas = np.full((height, width, 3), _GRAY, np.uint8)
    canvas[: image.shape[0], : image.shape[1]] = image
    return canvas
