"""Cached values in one folder: bounded, checked when read, and shared by any number of processes.

DIR/seed        random; of it and the key a file's name is made
DIR/lock        held while a process writes
DIR/NAME.entry  see `entry_file`
DIR/NAME.tmp    being written; left behind only by a process that was killed, removed by the next one that writes

A file gets its name when it is whole (rename), so kill -9 at any time leaves whole files. Nothing waits for the disk
(no fsync): what a power cut spoils has another hash, is dropped when it is read, and computed again.
"""

from __future__ import annotations

import fcntl
import logging
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from service.caches.entry_file import DamagedEntryError, Entry, pack, unpack
from service.runtime_dir import make_private_dir

log = logging.getLogger(__name__)

SEED_BYTES = 32
_ENTRY, _PARTIAL = ".entry", ".tmp"


class DiskStore:
    """Entries by name. What its methods raise is OSError."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        """Open a folder, or make it (mode 0700). Raises InvalidInputError when others may enter it."""
        make_private_dir(folder)
        self._folder = folder
        self._max_bytes = max_bytes
        with self._writing():
            self.seed = self._seed()

    def read(self, name: str) -> Entry | None:
        """The entry, if there is one and it is what was written; a damaged one is removed."""
        path = self._folder / (name + _ENTRY)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        try:
            entry = unpack(name, data)
        except DamagedEntryError as error:
            log.warning("an entry of the cache on disk is damaged and is dropped: %s", error)
            self.remove(name)
            return None
        with suppress(FileNotFoundError):  # another process has made room meanwhile
            os.utime(path)  # used now: others leave first
        return entry

    def has(self, name: str) -> bool:
        """Whether there is a file of this name."""
        return (self._folder / (name + _ENTRY)).exists()

    def write(self, name: str, entry: Entry) -> None:
        """Keep an entry, and let those go that were used least recently; one larger than the bound is not kept."""
        pieces = pack(name, entry)
        size_bytes = sum(len(piece) for piece in pieces)
        if size_bytes > self._max_bytes:
            return
        path, partial = self._folder / (name + _ENTRY), self._folder / (name + _PARTIAL)
        with self._writing():
            self._make_room(size_bytes)
            try:
                with partial.open("wb") as file:
                    file.writelines(pieces)
                partial.rename(path)
            except OSError:
                partial.unlink(missing_ok=True)
                raise

    def remove(self, name: str) -> None:
        """Forget an entry, if it is there."""
        (self._folder / (name + _ENTRY)).unlink(missing_ok=True)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One process at a time; the lock of one that is killed is free."""
        with (self._folder / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _make_room(self, size_bytes: int) -> None:
        """Remove what killed writers left, and old entries until `size_bytes` more fit. With the lock held."""
        found = []
        for file in os.scandir(self._folder):
            with suppress(FileNotFoundError):  # a reader has dropped it
                if file.name.endswith(_PARTIAL):
                    os.unlink(file)
                elif file.name.endswith(_ENTRY):
                    facts = file.stat()
                    found.append((facts.st_mtime_ns, facts.st_size, file.path))
        used = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if used + size_bytes <= self._max_bytes:
                return
            Path(path).unlink(missing_ok=True)
            used -= size

    def _seed(self) -> bytes:
        path, partial = self._folder / "seed", self._folder / f"seed{_PARTIAL}"
        with suppress(FileNotFoundError):
            if len(seed := path.read_bytes()) == SEED_BYTES:
                return seed
        seed = secrets.token_bytes(SEED_BYTES)
        partial.write_bytes(seed)
        partial.rename(path)
        return seed
