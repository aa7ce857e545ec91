"""Video by OpenCV, 8 bit RGB: what is always there. PyAV (extra [video]) reads and writes the rest."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2

from service.batch.errors import UnreadableError
from service.batch.media.clip_info import DEFAULT_FPS, ClipInfo
from service.batch.sources.footage import Footage, FootageFrame, format_of
from service.batch.sources.whole_file import missing_bytes


class OpenCvFootage(Footage):
    """A video file, decoded to 8 bit RGB; colours, audio and timecode are not carried on."""

    def __init__(self, path: Path) -> None:
        self.path = path
        capture = self._opened()
        ok, image = capture.read()
        if not ok:
            raise UnreadableError(f"{path} has no video frame that can be read; is it complete, has it a picture?")
        self.format = format_of(image)
        fps = capture.get(cv2.CAP_PROP_FPS)
        self.info = ClipInfo(fps=Fraction(fps).limit_denominator(1001) if fps > 0 else None, pixel_format="yuv420p")
        self.first_number = 0
        self.missing_bytes = missing_bytes(path)
        self.frame_count = None
        self.reported_count = max(0, int(capture.get(cv2.CAP_PROP_FRAME_COUNT))) or None
        self.time_base = 1 / (self.info.fps or DEFAULT_FPS)
        capture.release()

    def frames(self, start: int = 0) -> Iterator[FootageFrame]:
        """Decode to the end; what the header says about the length is not trusted."""
        capture = self._opened()
        try:
            for _ in range(start):
                capture.grab()
            index = start
            while True:
                ok, image = capture.read()
                if not ok:
                    return
                yield FootageFrame(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), index)
                index += 1
        finally:
            capture.release()

    def _opened(self) -> cv2.VideoCapture:
        capture = cv2.VideoCapture(str(self.path))
        if not capture.isOpened():
            raise UnreadableError(f"{self.path} is no video or image that can be read; is it complete?")
        return capture
