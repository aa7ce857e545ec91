"""Faults that a process cannot tell from real ones, without touching the machine: a clock that jumps, a slow disk."""

from __future__ import annotations

import mmap
import os
import struct
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_suffix(".c")
_NUMBERS = struct.Struct("=qq")  # struct Faults of the source: seconds, microseconds


class InjectedFaults:
    """What to do to the processes that are started with `environment`; outlives them."""

    def __init__(self, folder: Path, name: str) -> None:
        """Compile the library into `folder` if it is not there. Raises FileNotFoundError without a C compiler `cc`."""
        library = folder / "injected_faults.so"
        if not library.exists():
            subprocess.run(
                ["cc", "-O1", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", "-o", library, SOURCE, "-ldl"],
                check=True,
            )
        path = folder / f"{name}.faults"
        path.write_bytes(bytes(_NUMBERS.size))
        with path.open("r+b") as file:
            self._page = mmap.mmap(file.fileno(), _NUMBERS.size)
        self.environment = {**os.environ, "LD_PRELOAD": str(library), "INJECTED_FAULTS": str(path)}

    def shift_clock(self, seconds: int) -> None:
        """From now on the wall clock is so far ahead of the real one; below 0: behind."""
        _, delay_us = _NUMBERS.unpack(self._page)
        self._page[:] = _NUMBERS.pack(seconds, delay_us)

    def delay_writes(self, seconds: float) -> None:
        """From now on each write to a file, and each wait for the disk, takes so much longer."""
        shift_s, _ = _NUMBERS.unpack(self._page)
        self._page[:] = _NUMBERS.pack(shift_s, round(seconds * 1e6))
