"""Frames that came as chunks, so that overlapping windows send each frame once."""

from __future__ import annotations

from model.errors import InvalidInputError
from service.caches.bounded_cache import BoundedCache

FrameBytes = bytes | bytearray | memoryview
CacheKey = tuple[bytes, bytes]
"""(session_id, content_key): a key is trusted only within the session that gave it."""


class FrameCache(BoundedCache[CacheKey, FrameBytes]):
    """Bytes of frames by session and content key.

    A window holds the bytes it uses itself, so eviction never hurts one that runs.
    """

    def get_sized(self, key: CacheKey, size_bytes: int) -> FrameBytes | None:
        """The frame, or None when it has to be sent.

        Raises InvalidInputError when the session gave the same key to a frame of another size.
        """
        frame = self.get(key)
        if frame is not None and len(frame) != size_bytes:
            raise InvalidInputError(
                f"content_key names a frame of {size_bytes} bytes now and one of {len(frame)} before; "
                "a key must be a hash of pixels and format"
            )
        return frame

    def put_frame(self, key: CacheKey, frame: FrameBytes) -> None:
        """Keep a frame."""
        self.put(key, frame, len(frame))
