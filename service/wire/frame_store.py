"""Shared memory between one client and the service: opened, proved, sliced and let go.

The client owns the region (mode 0600); the service maps it while the client's stream is open, and a little longer if a
window still uses it. Sizes are those of the real object, never those a message states.
"""

from __future__ import annotations

import mmap
import os
import secrets
import stat
from contextlib import suppress
from dataclasses import dataclass

from stereoconvert.v1 import stereo_convert_pb2

from model.errors import InvalidInputError
from service.errors import StoreNotFoundError, StoresFullError
from service.wire.shared_region import open_region

RESERVED_BYTES = 4096
ALIGNMENT_BYTES = 64
MIN_STORE_BYTES = 8192
NONCE_BYTES = 16
ID_BYTES = 16


class FrameStore:
    """One mapped region. `users` counts the windows that still need it after its stream has ended."""

    def __init__(self, request: stereo_convert_pb2.ShareFrameStoreRequest, max_bytes: int) -> None:
        """Map the object that a client names.

        Raises InvalidInputError for a bad name, size or owner, StoreNotFoundError when there is no such object.
        """
        size_bytes = request.size_bytes
        if not MIN_STORE_BYTES <= size_bytes <= max_bytes:
            raise InvalidInputError(f"size_bytes is {size_bytes}; it must be {MIN_STORE_BYTES}..{max_bytes}")
        self._fd = open_region(request)
        self._may_shrink = not request.HasField("open_file")  # files of memory are sealed
        try:
            self._check_object(size_bytes)
            self._map = self._mapped(size_bytes)
        except BaseException:
            os.close(self._fd)
            raise
        self.store_id = secrets.token_bytes(ID_BYTES)
        self.size_bytes = size_bytes
        self.users = 0
        self._ended = False

    def _mapped(self, size_bytes: int) -> mmap.mmap:
        try:
            return mmap.mmap(self._fd, size_bytes)
        except OSError as error:  # sealed against writing, no room among the addresses
            reason = f"the shared memory object cannot be mapped ({error.strerror}); use chunks"
            raise InvalidInputError(reason) from None

    def _check_object(self, size_bytes: int) -> None:
        found = os.fstat(self._fd)
        if found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
            raise InvalidInputError("the shared memory object must belong to the service's user, with mode 0600")
        if found.st_size < size_bytes:
            raise InvalidInputError(f"size_bytes is {size_bytes}; the object has only {found.st_size}")

    def exchange_nonces(self) -> tuple[bytes, bytes]:
        """Read the client's nonce at offset 0, write ours at offset 16; return both."""
        ours = secrets.token_bytes(NONCE_BYTES)
        self._map[NONCE_BYTES : 2 * NONCE_BYTES] = ours
        return self._map[:NONCE_BYTES], ours

    def view(self, offset_bytes: int, size_bytes: int) -> memoryview:
        """See a checked slot; drop the view soon.

        A client that shrank its object would make the next access kill this process (SIGBUS): files of memory cannot
        shrink, the size of others is looked at each time. Only a process of the same user could win the race that
        remains.
        """
        if self._may_shrink and os.fstat(self._fd).st_size < self.size_bytes:
            raise InvalidInputError("the shared memory object was made smaller while it was in use")
        return memoryview(self._map)[offset_bytes : offset_bytes + size_bytes]

    def acquire(self) -> None:
        """Keep the mapping until `release`, even if the stream ends before."""
        self.users += 1

    def release(self) -> None:
        """Undo one `acquire`."""
        self.users -= 1
        self._close_if_unused()

    def end(self) -> None:
        """The stream is over: unmap as soon as no window uses the region."""
        self._ended = True
        self._close_if_unused()

    def _close_if_unused(self) -> None:
        if not self._ended or self.users or self._fd < 0:
            return
        os.close(self._fd)
        self._fd = -1
        with suppress(BufferError):  # a view held by a traceback: unmapped when that is collected
            self._map.close()


@dataclass(frozen=True)
class StoreSlot:
    """A checked piece of a store."""

    store: FrameStore
    offset_bytes: int
    size_bytes: int

    def view(self) -> memoryview:
        """See the slot's bytes; drop the view soon."""
        return self.store.view(self.offset_bytes, self.size_bytes)

    def overlaps(self, other: StoreSlot) -> bool:
        """Whether both have a byte in common."""
        return (
            self.store is other.store
            and self.offset_bytes < other.offset_bytes + other.size_bytes
            and other.offset_bytes < self.offset_bytes + self.size_bytes
        )


class FrameStores:
    """All regions that are shared now, by id."""

    def __init__(self, max_stores: int, max_store_bytes: int) -> None:
        self._max_stores = max_stores
        self._max_store_bytes = max_store_bytes
        self._by_id: dict[bytes, FrameStore] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def open(self, request: stereo_convert_pb2.ShareFrameStoreRequest) -> FrameStore:
        """Map the region that a client names; `end` it with `close`."""
        if len(self._by_id) >= self._max_stores:
            raise StoresFullError(f"{self._max_stores} frame stores are shared already; close one or use chunks")
        store = FrameStore(request, self._max_store_bytes)
        self._by_id[store.store_id] = store
        return store

    def close(self, store: FrameStore) -> None:
        """Forget a region: new windows cannot use it, running ones finish with it."""
        del self._by_id[store.store_id]
        store.end()

    def slot(self, field: str, store_id: bytes, offset_bytes: int, size_bytes: int, least_bytes: int) -> StoreSlot:
        """Check a StoreLocation that came as `field` and must hold `least_bytes`.

        Raises StoreNotFoundError, or InvalidInputError naming field, value and range.
        """
        store = self._by_id.get(store_id)
        if store is None:
            raise StoreNotFoundError(f"{field}.store_id is unknown (the service was restarted?); share the store again")
        if offset_bytes % ALIGNMENT_BYTES or not RESERVED_BYTES <= offset_bytes < store.size_bytes:
            raise InvalidInputError(
                f"{field}.offset_bytes is {offset_bytes}; it must be a multiple of {ALIGNMENT_BYTES} "
                f"in {RESERVED_BYTES}..{store.size_bytes - 1}"
            )
        if not least_bytes <= size_bytes <= store.size_bytes - offset_bytes:
            raise InvalidInputError(
                f"{field}.size_bytes is {size_bytes}; it must be {least_bytes} (one frame) to "
                f"{store.size_bytes - offset_bytes} (the end of the store)"
            )
        return StoreSlot(store, offset_bytes, size_bytes)
