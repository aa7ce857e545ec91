"""④ The frames of one window that come as chunks: which are needed, and are the pieces what was announced."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import numpy as np
from stereoconvert.v1 import frame_pb2, stereo_convert_pb2

from model.errors import InvalidInputError
from service.caches.frame_cache import FrameBytes, FrameCache
from service.wire.window_plan import WindowPlan

Read = Callable[[], Awaitable[stereo_convert_pb2.ConvertWindowRequest | None]]
"""The client's next message; None when it has said all."""


class FrameReceiver:
    """Takes what the session's cache has, and reads the rest in the order in which it asks for it."""

    def __init__(self, plan: WindowPlan, cache: FrameCache, max_chunk_bytes: int) -> None:
        """Look into the cache. Raises InvalidInputError when a key names frames of two sizes."""
        self._session_id = plan.session_id
        self._cache = cache
        self._max_chunk_bytes = max_chunk_bytes
        self._sizes: dict[bytes, int] = {}
        self._received: dict[bytes, FrameBytes] = {}
        for frame in plan.frames + plan.depth:
            if frame.slot is None:
                self._note(frame.content_key, frame.format.frame_bytes)

    def _note(self, key: bytes, size: int) -> None:
        if self._sizes.setdefault(key, size) != size:
            raise InvalidInputError("content_key names frames of two sizes; a key must be a hash of pixels and format")
        known = self._cache.get_sized((self._session_id, key), size)
        if known is not None:
            self._received[key] = known

    @property
    def needed(self) -> list[bytes]:
        """Keys to ask the client for."""
        return [key for key in self._sizes if key not in self._received]

    async def receive(self, read: Read) -> dict[bytes, FrameBytes]:
        """Read the chunks of all needed frames; return all frames by key.

        Raises InvalidInputError for a stream that ends early, or a chunk that is not the one due.
        """
        for key in self.needed:
            self._received[key] = await self._receive_frame(read, key, self._sizes[key])
            self._cache.put_frame((self._session_id, key), self._received[key])
        return self._received

    async def _receive_frame(self, read: Read, key: bytes, size: int) -> memoryview:
        frame = memoryview(np.empty(size, np.uint8).data)  # unlike a bytearray, not zeroed first
        end = 0
        while end < size:
            message = await read()
            if message is None:
                raise InvalidInputError(f"the stream ended after {end} of the {size} bytes of a frame it announced")
            if message.WhichOneof("message") != "chunk":
                raise InvalidInputError("expected `chunk` messages for the frames of frames_needed")
            data = self._checked(message.chunk, key, end, size)
            frame[end : end + len(data)] = data
            end += len(data)
        return frame

    def _checked(self, chunk: frame_pb2.FrameChunk, key: bytes, end: int, size: int) -> bytes:
        if chunk.content_key != key:
            raise InvalidInputError("chunk.content_key is not that of the frame due; send them as frames_needed lists")
        if chunk.offset_bytes != end:
            raise InvalidInputError(f"chunk.offset_bytes is {chunk.offset_bytes}; {end} is due: chunks go in order")
        data = chunk.data
        largest = min(self._max_chunk_bytes, size - end)
        if not 1 <= len(data) <= largest:
            raise InvalidInputError(f"chunk.data has {len(data)} bytes; it must have 1..{largest} here")
        return data
