"""Files that outlive a power cut: on the disk before they get their names, and their names on the disk, too."""

from __future__ import annotations

import os
from pathlib import Path

from service.batch.errors import write_error


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder_of(path: Path) -> None:
    """Make the folder that a file will lie in. Raises WriteError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(path.parent, error) from None


def put_in_place(partial: Path, path: Path) -> None:
    """Give a finished file its name, replacing what bore it. Raises OSError."""
    sync(partial)
    os.replace(partial, path)
    sync(path.parent)
