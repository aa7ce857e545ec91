"""A service that nobody can reach any more, or whose reason to be is gone, leaves by itself."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
from pathlib import Path

LOOK_S = 2.0
_PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Let this process be killed when the one that started it ends, even if somebody has stopped it (SIGSTOP).

    Linux only, where the kernel does it; `leave_when_lost` looks after the rest. Call it first of all.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


async def leave_when_lost(socket: Path, parent: int | None) -> str:
    """Wait until this process should leave; why.

    socket  its Unix socket: when that is removed or replaced, nobody can connect
    parent  who must live, by process id; None: nobody
    """
    ours = _identity(socket)
    while True:
        await asyncio.sleep(LOOK_S)
        if parent is not None and os.getppid() != parent:
            return "the process that started this service has ended"
        if _identity(socket) != ours:
            return f"the socket {socket} is gone, so nobody can connect"


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
