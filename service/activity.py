"""Whether the service has work: what an idle one leaves by, and a leaving one waits for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

FINISH_POLL_S = 0.05


class Activity:
    """Counts the windows under way. Lives on the event loop.

    A store that a host keeps open is no activity: a host that is left open overnight must not hold the GPU.
    """

    def __init__(self) -> None:
        self._open = 0
        self._last_end = time.monotonic()

    @contextmanager
    def window(self) -> Iterator[None]:
        """Count one window while its stream is open."""
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1
            self._last_end = time.monotonic()

    @property
    def idle_s(self) -> float:
        """Seconds since the last window ended; 0 while one is under way."""
        return 0.0 if self._open else time.monotonic() - self._last_end

    @property
    def windows(self) -> int:
        """How many are under way."""
        return self._open

    async def finish(self, timeout_s: float, hurry: asyncio.Event) -> None:
        """Wait until no window is under way, at most `timeout_s` and not after `hurry` is set."""
        until = time.monotonic() + timeout_s
        while self._open and not hurry.is_set() and time.monotonic() < until:
            await asyncio.sleep(FINISH_POLL_S)
