"""Frames that came as chunks, so that overlapping windows send each frame once."""

from __future__ import annotations

from collections import OrderedDict

from model.errors import InvalidInputError

FrameBytes = bytes | bytearray | memoryview
CacheKey = tuple[bytes, bytes]
"""(session_id, content_key): a key is trusted only within the session that gave it."""


class FrameCache:
    """Bytes of frames by session and content key; the least recently used leave first.

    A window holds the bytes it uses itself, so eviction never hurts one that runs.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._frames: OrderedDict[CacheKey, FrameBytes] = OrderedDict()
        self.used_bytes = 0

    def get(self, key: CacheKey, size_bytes: int) -> FrameBytes | None:
        """The frame, or None when it has to be sent.

        Raises InvalidInputError when the session gave the same key to a frame of another size.
        """
        frame = self._frames.get(key)
        if frame is None:
            return None
        if len(frame) != size_bytes:
            raise InvalidInputError(
                f"content_key names a frame of {size_bytes} bytes now and one of {len(frame)} before; "
                "a key must be a hash of pixels and format"
            )
        self._frames.move_to_end(key)
        return frame

    def put(self, key: CacheKey, frame: FrameBytes) -> None:
        """Keep a frame; one larger than the whole cache is not kept."""
        if key in self._frames or len(frame) > self._max_bytes:
            return
        self._frames[key] = frame
        self.used_bytes += len(frame)
        while self.used_bytes > self._max_bytes:
            _, evicted = self._frames.popitem(last=False)
            self.used_bytes -= len(evicted)
