"""The output slots of one window: free to write, or lent to the client until it has read them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable

from stereoconvert.v1 import frame_pb2

from model.errors import InvalidInputError
from service.errors import StalledError
from service.wire.frame_store import StoreSlot


class SlotPool:
    """Lends slots in turn. Lives on the event loop."""

    def __init__(self, slots: Iterable[StoreSlot], stall_s: float) -> None:
        self._free = deque(slots)
        self._lent: dict[tuple[bytes, int], StoreSlot] = {}
        self._stall_s = stall_s
        self._changed = asyncio.Event()
        self._client_error: Exception | None = None
        self._ended = False  # the client has said all: what it has now never comes back

    async def lend(self) -> StoreSlot:
        """The next free slot; waits until the client has given one back.

        Raises StalledError when it does not, InvalidInputError when it no longer can, or what `fail` was told.
        """
        try:
            async with asyncio.timeout(self._stall_s):
                while not self._free and self._client_error is None and not self._ended:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise StalledError(f"no output slot came back by release_slot for {self._stall_s:g} s") from None
        if self._client_error is not None:
            raise self._client_error
        if not self._free:
            raise InvalidInputError(
                "the stream ended before all results had a slot; give slots back by release_slot, or offer more"
            )
        slot = self._free.popleft()
        self._lent[slot.store.store_id, slot.offset_bytes] = slot
        return slot

    def release(self, location: frame_pb2.StoreLocation) -> None:
        """Take back a slot. Raises InvalidInputError when the client does not have it."""
        slot = self._lent.pop((location.store_id, location.offset_bytes), None)
        if slot is None:
            raise InvalidInputError("release_slot names no slot that holds a result of this window")
        self._free.append(slot)
        self._changed.set()

    def end(self) -> None:
        """The client has said all: no slot comes back any more."""
        self._ended = True
        self._changed.set()

    def fail(self, error: Exception) -> None:
        """Nothing will come back: raise `error` from whoever waits."""
        self._client_error = error
        self._changed.set()
