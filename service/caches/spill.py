"""What caches remember beyond their memory and their process: written beside the work, read before it.

Off unless `--cache-dir` names a folder. A disk that fails or is full ends the spill, never a window.
"""

from __future__ import annotations

import hashlib
import logging
import queue
import threading
from dataclasses import dataclass

from service.caches.disk_store import DiskStore
from service.caches.entry_file import Entry

log = logging.getLogger(__name__)

MAX_WAITING_BYTES = 1 << 30
"""What waits for a slow disk stays in memory; beyond this, entries are not spilled."""


@dataclass(frozen=True)
class _Writing:
    name: str
    entry: Entry


class Spill:
    """Entries of all caches of a process, by kind and key. Safe from any thread."""

    def __init__(self, store: DiskStore, version: str, max_waiting_bytes: int = MAX_WAITING_BYTES) -> None:
        """`version` is that of the model: entries of another one are never found, and leave when room is needed."""
        self._store = store
        self._version = version
        self._max_waiting_bytes = max_waiting_bytes
        self._waiting: queue.SimpleQueue[_Writing | None] = queue.SimpleQueue()
        self._waiting_bytes = 0
        self._lock = threading.Condition()
        self.is_on = True
        self._writer = threading.Thread(target=self._write_all, name="spill", daemon=True)
        self._writer.start()

    @property
    def digest_seed(self) -> int:
        """64 bits that are equal in all processes of the folder: digests of pixels made with it are keys in all."""
        return int.from_bytes(self._store.seed[:8], "little")

    def find(self, kind: str, key: object) -> Entry | None:
        """What any process has kept under an equal key, if it is there, intact, and of this model."""
        if not self.is_on:
            return None
        try:
            return self._store.read(self._name(kind, key))
        except OSError as error:
            self._give_up("read", error)
            return None

    def keep(self, kind: str, key: object, entry: Entry) -> None:
        """Write an entry soon, unless too many wait for the disk already. Nobody may write to its arrays any more."""
        name = self._name(kind, key)
        with self._lock:
            if not self.is_on or self._waiting_bytes + entry.size_bytes > self._max_waiting_bytes:
                return
            self._waiting_bytes += entry.size_bytes
        self._waiting.put(_Writing(name, entry))

    def drop(self, kind: str, key: object) -> None:
        """Forget an entry that proved to be wrong."""
        try:
            self._store.remove(self._name(kind, key))
        except OSError as error:
            self._give_up("change", error)

    def flush(self, timeout_s: float) -> bool:
        """Wait until all that waited is written; False when it was not in time."""
        with self._lock:
            return self._lock.wait_for(lambda: self._waiting_bytes == 0, timeout_s)

    def close(self, timeout_s: float) -> None:
        """Write what waits, for so long at most, and end."""
        self._waiting.put(None)
        self._writer.join(timeout_s)
        self.is_on = False

    def _name(self, kind: str, key: object) -> str:
        text = repr((self._version, kind, key)).encode()
        return hashlib.blake2b(text, digest_size=16, key=self._store.seed).hexdigest()

    def _write_all(self) -> None:
        while (writing := self._waiting.get()) is not None:
            try:
                if self.is_on and not self._store.has(writing.name):
                    self._store.write(writing.name, writing.entry)
            except OSError as error:
                self._give_up("write", error)
            with self._lock:
                self._waiting_bytes -= writing.entry.size_bytes
                self._lock.notify_all()

    def _give_up(self, verb: str, error: OSError) -> None:
        with self._lock:
            told, self.is_on = not self.is_on, False
        if not told:
            log.warning("cannot %s the cache on disk (%s); it is off until the service is started again",
                        verb, error.strerror or error)  # fmt: skip
