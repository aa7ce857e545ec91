"""Files that outlive a power cut: on the disk before they get their names, and their names on the disk, too."""

from __future__ import annotations

import os
from pathlib import Path


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def put_in_place(partial: Path, path: Path) -> None:
    """Give a finished file its name, replacing what bore it. Raises OSError."""
    sync(partial)
    os.replace(partial, path)
    sync(path.parent)
