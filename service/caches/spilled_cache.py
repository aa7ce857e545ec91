"""A bounded cache that looks on disk for what its memory has forgotten, or never knew."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Generic

from service.caches.bounded_cache import BoundedCache, Key, Value
from service.caches.entry_file import Entry
from service.caches.kept_array import KeptArray
from service.caches.spill import Spill


class EntryKind(ABC, Generic[Value]):
    """How values of one cache become entries. Values are never written to, so entries need no copies."""

    name: str
    when_evicted = False
    """Whether a value is spilled only when memory forgets it; else as soon as it is there."""

    @abstractmethod
    def to_entry(self, value: Value) -> Entry:
        """The value as a file holds it."""

    @abstractmethod
    def from_entry(self, entry: Entry) -> tuple[Value, int]:
        """The value and its bytes in memory."""


class SpilledCache(BoundedCache[Key, Value]):
    """Values by key, in memory and, where there is a spill, on disk. Safe from any thread."""

    def __init__(self, max_bytes: int, kind: EntryKind[Value], spill: Spill | None = None) -> None:
        """Without memory (`max_bytes` 0) nothing is spilled either: the cache is off."""
        super().__init__(max_bytes)
        self._kind = kind
        self._spill = spill if max_bytes else None
        self.disk_hits = 0

    def get(self, key: Key) -> Value | None:
        """The value, or None."""
        value = super().get(key)
        if value is not None or self._spill is None:
            return value
        entry = self._spill.find(self._kind.name, key)
        if entry is None:
            return None
        self.disk_hits += 1
        value, size_bytes = self._kind.from_entry(entry)
        super().put(key, value, size_bytes)
        return value

    def put(self, key: Key, value: Value, size_bytes: int) -> None:
        """Keep a value under a key that has none."""
        super().put(key, value, size_bytes)
        if not self._kind.when_evicted:
            self._keep_on_disk(key, value)

    def _left(self, key: Key, value: Value) -> None:
        if self._kind.when_evicted:
            self._keep_on_disk(key, value)

    def _keep_on_disk(self, key: Key, value: Value) -> None:
        if self._spill is not None:
            self._spill.keep(self._kind.name, key, self._kind.to_entry(value))

    def drop(self, key: Key) -> None:
        """Forget one value, if it is there."""
        super().drop(key)
        if self._spill is not None:
            self._spill.drop(self._kind.name, key)


class ArrayEntries(EntryKind[KeptArray]):
    """Values that are one array."""

    def __init__(self, name: str) -> None:
        self.name = name

    def to_entry(self, value: KeptArray) -> Entry:
        """The array."""
        return Entry((value.values,))

    def from_entry(self, entry: Entry) -> tuple[KeptArray, int]:
        """The array, with a hash that shows damage in memory from now on."""
        (values,) = entry.arrays
        return KeptArray.of(values), values.nbytes
