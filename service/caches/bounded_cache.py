"""A store of values that never holds more bytes than it may; the least recently used leave first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")

MAX_ENTRIES = 1 << 16
"""However small they are: each takes about a kilobyte that is not counted."""


class BoundedCache(Generic[Key, Value]):
    """Values by key. Safe from any thread."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._entries: OrderedDict[Key, tuple[Value, int]] = OrderedDict()
        self._lock = threading.Lock()
        self.used_bytes = 0
        self.hits = 0
        self.misses = 0

    @property
    def is_on(self) -> bool:
        """Whether it keeps anything at all."""
        return self._max_bytes > 0

    def get(self, key: Key) -> Value | None:
        """The value, or None."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                self.misses += 1
                return None
            self.hits += 1
            self._entries.move_to_end(key)
            return entry[0]

    def put(self, key: Key, value: Value, size_bytes: int) -> None:
        """Keep a value under a key that has none; one larger than the whole cache is not kept."""
        evicted: list[tuple[Key, Value]] = []
        with self._lock:
            if key in self._entries or size_bytes > self._max_bytes:
                return
            self._entries[key] = (value, size_bytes)
            self.used_bytes += size_bytes
            while self.used_bytes > self._max_bytes or len(self._entries) > MAX_ENTRIES:
                oldest, (forgotten, evicted_bytes) = self._entries.popitem(last=False)
                self.used_bytes -= evicted_bytes
                evicted.append((oldest, forgotten))
        for oldest, forgotten in evicted:
            self._left(oldest, forgotten)

    def _left(self, key: Key, value: Value) -> None:
        """A value had to make room; kinds of caches may do something with it."""

    def drop(self, key: Key) -> None:
        """Forget one value, if it is there."""
        with self._lock:
            if (entry := self._entries.pop(key, None)) is not None:
                self.used_bytes -= entry[1]

    def clear(self) -> None:
        """Forget all values."""
        with self._lock:
            self._entries.clear()
            self.used_bytes = 0
