"""Photos and clips of a folder, decoded once and kept in memory as small 8-bit pictures."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from model.errors import InvalidInputError
from model.rule_checks import check_least

Picture = NDArray[np.uint8]
"""(H, W, 3), RGB, display-referred."""

PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
CLIP_SUFFIXES = (".mp4", ".mkv", ".mov", ".avi", ".webm", ".mpg")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class MediaRules:
    """Which files are used and how large they are kept. Raises SettingsError for sizes that hold nothing."""

    include: tuple[str, ...] = ("*",)  # patterns on the file's name
    exclude: tuple[str, ...] = ()
    photo_width: int = 1280  # px, wider photos are reduced
    clip_width: int = 800  # px
    clip_frames: int = 120  # frames kept of a clip, from its middle

    def __post_init__(self) -> None:
        check_least(self, photo_width=16, clip_width=16, clip_frames=1)

    def admits(self, path: Path) -> bool:
        """Tell whether a file takes part."""
        named = any(fnmatch(path.name, pattern) for pattern in self.include)
        return named and not any(fnmatch(path.name, pattern) for pattern in self.exclude)


@dataclass(frozen=True)
class Library:
    """Decoded media: photos, and clips as lists of frames; `names` says which files they came from."""

    photos: list[Picture]
    clips: list[list[Picture]]
    names: tuple[str, ...]


def load_library(folder: Path, rules: MediaRules) -> Library:
    """Read every photo and clip below a folder, in the order of their names.

    Raises InvalidInputError when none can be used.
    """
    photos, clips, names = [], [], []
    for path in sorted(folder.rglob("*")):
        if not rules.admits(path):
            continue
        if path.suffix.lower() in PHOTO_SUFFIXES:
            photos.append(read_photo(path, rules.photo_width))
        elif path.suffix.lower() in CLIP_SUFFIXES:
            clips.append(read_clip(path, rules.clip_width, rules.clip_frames))
        else:
            continue
        names.append(path.name)
    if not names:
        raise InvalidInputError(
            f"expected photos or clips in {folder} that match {rules.include} and not {rules.exclude}; found none"
        )
    _log.info("media: %d photos, %d clips of %s", len(photos), len(clips), folder)
    return Library(photos, clips, tuple(names))


def read_photo(path: Path, width_px: int) -> Picture:
    """Read one photo, at most `width_px` wide. Raises InvalidInputError when it cannot be decoded."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise InvalidInputError(f"{path} cannot be decoded as a picture; remove it or exclude it in the configuration")
    return _reduced(picture, width_px)


def read_clip(path: Path, width_px: int, frames: int) -> list[Picture]:
    """Read `frames` consecutive frames from the middle of a clip. Raises InvalidInputError when there are none."""
    reader = cv2.VideoCapture(str(path))
    try:
        first = max(0, (int(reader.get(cv2.CAP_PROP_FRAME_COUNT)) - frames) // 2)
        for _ in range(first):
            reader.grab()  # decoding in order is exact; seeking is not, in many files
        pictures = []
        while len(pictures) < frames:
            decoded, picture = reader.read()
            if not decoded:
                break
            pictures.append(_reduced(picture, width_px))
    finally:
        reader.release()
    if not pictures:
        raise InvalidInputError(f"{path} has no frame that can be decoded; remove it or exclude it")
    return pictures


def read_runs(path: Path, width_px: int, length: int, every: int) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Yield runs of consecutive frames of a clip: the number of the first, and `length` frames (T, H, W, 3) RGB.

    Runs start at every `every`-th frame; one that the clip's end cuts short is left out.
    Raises InvalidInputError when the clip has no frame.
    """
    reader = cv2.VideoCapture(str(path))
    try:
        number, run = 0, []
        while True:
            decoded, picture = reader.read()
            if not decoded:
                break
            if number % every < length:
                run.append(_reduced(picture, width_px))
            if len(run) == length:
                yield number - length + 1, np.stack(run)
                run = []
            number += 1
    finally:
        reader.release()
    if number == 0:
        raise InvalidInputError(f"{path} has no frame that can be decoded; remove it")


def _reduced(picture: MatLike, width_px: int) -> Picture:
    height, width = picture.shape[:2]
    if width > width_px:
        picture = cv2.resize(picture, (width_px, round(height * width_px / width)), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(picture[..., ::-1], dtype=np.uint8)
