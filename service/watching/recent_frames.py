"""The last frames of a service as small pictures, for the page of `--web`."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

VIEWS = ("left", "right", "anaglyph", "disparity", "mask")
"""What the page shows of a frame; outputs of model.settings. The wiggle is left and right in turn."""

KEPT = 6
WIDTH_PX = 480


@dataclass(frozen=True)
class RecentFrame:
    """One frame and where it came from."""

    number: int  # counts all frames that were shown
    request: str  # as in the log
    time: int  # frame number in the clip
    pictures: dict[str, bytes]  # PNG by view


class RecentFrames:
    """Keeps the middle frame of each of the last windows. Safe from any thread."""

    def __init__(self) -> None:
        self._frames: OrderedDict[int, RecentFrame] = OrderedDict()
        self._count = 0
        self._lock = threading.Lock()

    def keep(self, request: str, time: int, views: Mapping[str, np.ndarray]) -> None:
        """Remember a frame.

        views  by name, (C, H, W) float32, display-referred; what lies outside 0..1 is clipped for display
        """
        pictures = {name: _png(image) for name, image in views.items()}
        with self._lock:
            self._count += 1
            self._frames[self._count] = RecentFrame(self._count, request, time, pictures)
            while len(self._frames) > KEPT:
                self._frames.popitem(last=False)

    def all(self) -> list[RecentFrame]:
        """The frames, newest first."""
        with self._lock:
            return list(reversed(self._frames.values()))

    def picture(self, number: int, view: str) -> bytes | None:
        """The PNG of a frame, None when it is gone."""
        with self._lock:
            frame = self._frames.get(number)
        return frame.pictures.get(view) if frame is not None else None


def _png(image: np.ndarray) -> bytes:
    import cv2  # here: the service listens before it is loaded

    pixels = np.ascontiguousarray(image[:3].transpose(1, 2, 0))
    height, width = pixels.shape[:2]
    if width > WIDTH_PX:
        size = (WIDTH_PX, max(1, round(height * WIDTH_PX / width)))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    coded = (np.clip(pixels, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)
    return cv2.imencode(".png", coded[:, :, ::-1])[1].tobytes()
