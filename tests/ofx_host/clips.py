"""Clips for a host to play: arrays, video files, image sequences."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.ofx_host import pixels

CACHED_FRAMES = 100
"""Decoded frames that a file clip keeps: more than the longest window."""


class Clip:
    """Frames `first`..`last` at `fps`; `frame(n)` is (H, W, C), top row first, or None where there is no picture.

    origin   lower left corner, canonical px
    row      "positive" or "negative" rowBytes; None leaves it to the host
    """

    def __init__(
        self,
        first: int,
        last: int,
        fps: float = 24.0,
        *,
        origin: tuple[int, int] = (0, 0),
        row: str | None = None,
        premultiplication: str = "opaque",
    ) -> None:
        self.first = first
        self.last = last
        self.fps = fps
        self.origin = origin
        self.row = row
        self.premultiplication = premultiplication

    def frame(self, number: int) -> NDArray | None:
        raise NotImplementedError

    def sample(self) -> NDArray:
        """A frame that says what size and format the clip has. Raises ValueError if there is none."""
        for number in range(self.first, self.last + 1):
            frame = self.frame(number)
            if frame is not None:
                return frame
        raise ValueError("the clip has no frame")


class ArrayClip(Clip):
    """Frames from memory: (T, H, W, C) or a list of (H, W, C), some of which may be None.

    depth    "Byte", "Short", "Half" or "Float" to convert to; None keeps the arrays' own
    """

    def __init__(
        self,
        frames: Sequence[NDArray | None] | NDArray,
        fps: float = 24.0,
        first: int = 0,
        depth: str | None = None,
        row: str | None = None,
        *,
        origin: tuple[int, int] = (0, 0),
        premultiplication: str = "opaque",
    ) -> None:
        super().__init__(
            first, first + len(frames) - 1, fps, origin=origin, row=row, premultiplication=premultiplication
        )
        self._frames = [f if f is None or depth is None else pixels.to_depth(np.asarray(f), depth) for f in frames]

    def frame(self, number: int) -> NDArray | None:
        index = number - self.first
        return self._frames[index] if 0 <= index < len(self._frames) else None


class SequenceClip(Clip):
    """Image files in the order given, decoded when asked for."""

    def __init__(self, paths: Sequence[Path], fps: float = 24.0, first: int = 0, *, row: str | None = None) -> None:
        if not paths:
            raise ValueError("an image sequence needs at least one file")
        super().__init__(first, first + len(paths) - 1, fps, row=row)
        self._paths = list(paths)
        self._cache = FrameCache()

    def frame(self, number: int) -> NDArray | None:
        index = number - self.first
        if not 0 <= index < len(self._paths):
            return None
        return self._cache.get(index, lambda: read_image(self._paths[index]))


class VideoClip(Clip):
    """A video file, 8 bit RGB. Frames before the last decoded one are sought again from the start."""

    def __init__(self, path: Path, first: int = 0, *, frames: int | None = None, row: str | None = None) -> None:
        self._path = path
        self._capture = cv2.VideoCapture(str(path))
        if not self._capture.isOpened():
            raise ValueError(f"cannot decode {path}: not a video that OpenCV reads")
        count = int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        count = min(count, frames) if frames else count
        super().__init__(first, first + count - 1, self._capture.get(cv2.CAP_PROP_FPS) or 24.0, row=row)
        self._next = 0
        self._cache = FrameCache()

    def frame(self, number: int) -> NDArray | None:
        index = number - self.first
        if not 0 <= index <= self.last - self.first:
            return None
        return self._cache.get(index, lambda: self._decode(index))

    def _decode(self, index: int) -> NDArray | None:
        if index < self._next:
            self._capture.release()
            self._capture = cv2.VideoCapture(str(self._path))
            self._next = 0
        picture = None
        while self._next <= index:
            found, picture = self._capture.read()
            if not found:
                return None
            self._next += 1
            if self._next <= index:
                self._cache.put(self._next - 1, _from_bgr(picture))
        return None if picture is None else _from_bgr(picture)


class FrameCache:
    """The last decoded frames."""

    def __init__(self) -> None:
        self._frames: OrderedDict[int, NDArray | None] = OrderedDict()

    def get(self, index: int, decode) -> NDArray | None:
        if index not in self._frames:
            self.put(index, decode())
        self._frames.move_to_end(index)
        return self._frames[index]

    def put(self, index: int, frame: NDArray | None) -> None:
        self._frames[index] = frame
        while len(self._frames) > CACHED_FRAMES:
            self._frames.popitem(last=False)


def open_clip(path: Path, *, first: int = 0, frames: int | None = None) -> Clip:
    """A folder of images, one image, a pattern such as `shot_*.png`, or a video file. Raises ValueError if nothing."""
    if path.is_dir():
        return SequenceClip(
            sorted(p for p in path.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES)[:frames], first=first
        )
    if "*" in path.name:
        return SequenceClip(sorted(path.parent.glob(path.name))[:frames], first=first)
    if not path.exists():
        raise ValueError(f"no such file: {path}")
    if path.suffix.lower() in IMAGE_SUFFIXES:
        return SequenceClip([path], first=first)
    return VideoClip(path, first=first, frames=frames)


IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".exr", ".hdr", ".pfm", ".webp"}


def read_image(path: Path) -> NDArray:
    """Read 8 bit, 16 bit or float pixels as (H, W, C) RGB(A) or grey. Raises ValueError if it cannot be decoded."""
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if picture is None:
        raise ValueError(f"cannot decode {path}")
    return _from_bgr(picture)


def write_image(path: Path, picture: NDArray) -> None:
    """Write RGB(A) or grey pixels; a float picture becomes 8 bit unless the suffix holds floats."""
    if picture.dtype.kind == "f":
        picture = picture.astype(np.float32)
        if path.suffix.lower() not in {".exr", ".hdr", ".pfm", ".tif", ".tiff"}:
            picture = pixels.to_depth(picture, "Byte")
    swapped = picture[..., [2, 1, 0, 3][: picture.shape[2]]] if picture.shape[2] >= 3 else picture
    if not cv2.imwrite(str(path), np.ascontiguousarray(swapped)):
        raise ValueError(f"cannot write {path}")


def _from_bgr(picture: NDArray) -> NDArray:
    if picture.ndim == 2:
        return picture[..., None]
    return np.ascontiguousarray(picture[..., [2, 1, 0, 3][: picture.shape[2]]])
