"""Frames that came as chunks, so that overlapping windows send each frame once."""

from __future__ import annotations

import numpy as np

from model.errors import InvalidInputError
from service.caches.entry_file import Entry
from service.caches.spill import Spill
from service.caches.spilled_cache import EntryKind, SpilledCache

FrameBytes = bytes | bytearray | memoryview
CacheKey = tuple[bytes, bytes]
"""(session_id, content_key): a key is trusted only within the session that gave it."""


class FrameCache(SpilledCache[CacheKey, FrameBytes]):
    """Bytes of frames by session and content key.

    A window holds the bytes it uses itself, so eviction never hurts one that runs.
    """

    def __init__(self, max_bytes: int, spill: Spill | None = None) -> None:
        super().__init__(max_bytes, _FrameEntries(), spill)

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


class _FrameEntries(EntryKind[FrameBytes]):
    """Frames go to disk when memory forgets them: most never do, for a session reads on."""

    name = "frames"
    when_evicted = True

    def to_entry(self, value: FrameBytes) -> Entry:
        """The bytes."""
        return Entry((np.frombuffer(value, np.uint8),))

    def from_entry(self, entry: Entry) -> tuple[FrameBytes, int]:
        """The bytes, not to be written to."""
        (values,) = entry.arrays
        return values.data, values.nbytes
