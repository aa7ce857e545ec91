"""What a process holds of the machine; a leak is a figure that rises and stays."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Footprint:
    """One glance at a process."""

    resident_mib: float
    files: int  # open descriptors
    threads: int
    regions: int  # mapped frame stores

    def __str__(self) -> str:
        return (
            f"{self.resident_mib:.0f} MiB, {self.files} open files, {self.threads} threads, "
            f"{self.regions} mapped regions"
        )


def footprint(pid: int) -> Footprint:
    """Look at a process of this user. Raises FileNotFoundError when it is gone."""
    process = Path(f"/proc/{pid}")
    pages = int((process / "statm").read_text().split()[1])
    return Footprint(
        resident_mib=pages * os.sysconf("SC_PAGE_SIZE") / 2**20,
        files=len(list((process / "fd").iterdir())),
        threads=len(list((process / "task").iterdir())),
        regions=sum("/memfd:stereo-" in line for line in (process / "maps").read_text().splitlines()),
    )


def open_regions() -> int:
    """Frame stores that this process has open; its other files come and go with other tests' threads."""
    links = []
    for descriptor in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):
            links.append(os.readlink(f"/proc/self/fd/{descriptor}"))
    return sum("/dev/shm/stereo-" in link or "/memfd:stereo-" in link for link in links)
