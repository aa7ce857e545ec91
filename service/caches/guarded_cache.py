"""A cache whose values carry hashes of themselves: one that was damaged in memory is never given out."""

from __future__ import annotations

import logging
from typing import Protocol, TypeVar

from service.caches.bounded_cache import Key
from service.caches.spilled_cache import SpilledCache

log = logging.getLogger(__name__)


class Guarded(Protocol):
    """A value with hashes."""

    @property
    def is_intact(self) -> bool:
        """Whether it is still what was kept."""
        ...


Kept = TypeVar("Kept", bound=Guarded)


class GuardedCache(SpilledCache[Key, Kept]):
    """Values by key, in memory and on disk, checked when they are read. Safe from any thread."""

    def get(self, key: Key) -> Kept | None:
        """The value, or None; a damaged one is dropped, for its maker to make it again."""
        kept = super().get(key)
        if kept is None or kept.is_intact:
            return kept
        log.warning("something kept in the cache %s is damaged; it is computed again", self._kind.name)
        self.drop(key)
        return None
