"""The folder of one user's service: private, and with one instance at a time."""

from __future__ import annotations

import fcntl
import os
import stat
from pathlib import Path

from model.errors import InvalidInputError


def make_private_dir(path: Path) -> None:
    """Create `path` with mode 0700, or check that it is ours and closed to others.

    Raises InvalidInputError when somebody else owns it, others may enter it, or it is a link.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise InvalidInputError(f"{path} is no folder; remove it or set STEREO_CONVERT_RUNTIME_DIR")
    if found.st_uid != os.getuid():
        raise InvalidInputError(f"{path} belongs to another user; set STEREO_CONVERT_RUNTIME_DIR to a folder of yours")
    if found.st_mode & 0o077:
        raise InvalidInputError(f"others may enter {path}; run: chmod 700 {path}")


class InstanceLock:
    """An advisory lock that dies with the process, so a killed service never blocks the next one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd: int | None = None

    def acquire(self) -> bool:
        """Take the lock; False when another process holds it."""
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return False
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        self._fd = fd
        return True

    def release(self) -> None:
        """Let the next instance in. The file stays: removing it would let two instances lock two files."""
        if self._fd is not None:
            os.ftruncate(self._fd, 0)  # a number that outlives its process may become somebody else's
            os.close(self._fd)
            self._fd = None


def remove_stale_socket(path: Path) -> None:
    """Remove the socket that a killed instance left behind; call with the lock held.

    Raises InvalidInputError when something else lies there.
    """
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise InvalidInputError(f"{path} exists and is no socket; remove it or choose another with --socket")
    path.unlink()
