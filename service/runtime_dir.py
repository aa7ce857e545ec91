"""The folder of one user's service: private, and with one instance at a time."""

from __future__ import annotations

import fcntl
import os
import signal
import stat
from pathlib import Path

from model.errors import InvalidInputError

STOPPED = "T"
"""State of a process in /proc that waits for SIGCONT; one that a debugger holds has another."""

_CHOOSE = "choose a folder of your own with STEREO_CONVERT_RUNTIME_DIR, --socket or --cache-dir"


def make_private_dir(path: Path) -> None:
    """Create `path` with mode 0700, or check that it is ours and closed to others.

    Raises InvalidInputError when somebody else owns it, others may enter it, or it is a link.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileExistsError:  # as something else
        pass
    except OSError as error:
        raise InvalidInputError(f"cannot make the folder {path} ({error.strerror}); {_CHOOSE}") from None
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise InvalidInputError(f"{path} is no folder; remove it, or {_CHOOSE}")
    if found.st_uid != os.getuid():
        raise InvalidInputError(f"{path} belongs to another user; {_CHOOSE}")
    if found.st_mode & stat.S_ISVTX:  # as /tmp: to close it would shut everybody out
        raise InvalidInputError(f"{path} is for everybody; {_CHOOSE}")
    if found.st_mode & 0o077:
        raise InvalidInputError(f"others may enter {path}; if it is yours alone, run: chmod 700 {path}")


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

    def wake_holder(self) -> bool:
        """Let the process that holds the lock go on if somebody has stopped it (SIGSTOP); whether that was so.

        Linux only: elsewhere nothing tells a stopped process from one that is busy.
        """
        try:
            holder = int(self._path.read_text())
            state = Path(f"/proc/{holder}/stat").read_text().rpartition(")")[2].split()[0]
            if state != STOPPED or not self._is_open_in(holder):
                return False
            os.kill(holder, signal.SIGCONT)
        except (OSError, ValueError):  # it has left meanwhile
            return False
        return True

    def _is_open_in(self, process: int) -> bool:
        """Whether a process has the lock's file open: a number alone may be another's, as from another container."""
        links = Path(f"/proc/{process}/fd").iterdir()
        return any(link.samefile(self._path) for link in links)

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
