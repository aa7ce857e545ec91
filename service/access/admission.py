"""④ Who may begin: bounds on open calls, on sessions, on the rate of each, and on the bytes that all make us hold."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from service.config import ServiceLimits
from service.errors import QueueFullError

BURST_S = 5.0
"""A session may save up so many seconds of its rate: a host that scrubs asks in bursts."""

SESSION_S = 60.0
"""A session that asked for nothing for so long makes room for another."""

RETRY_MS = 500
"""When to come back if memory is full, or too many calls are open: a window or two later."""

SPARE_STREAMS = 160
"""Windows that may be open beside those that queues take: they send frames, or fetch results."""


@dataclass
class _Session:
    """A token bucket: `tokens` windows may begin now, as of `seen_s`."""

    tokens: float
    seen_s: float


class Admission:
    """Lives on the event loop. `clock` gives seconds that never go back."""

    def __init__(self, limits: ServiceLimits, clock: Callable[[], float] = time.monotonic, devices: int = 1) -> None:
        self._limits = limits
        self._clock = clock
        self.max_calls = limits.max_stores + limits.max_queued_windows * devices + SPARE_STREAMS
        self.open_calls = 0
        self._sessions: OrderedDict[bytes, _Session] = OrderedDict()  # least recently seen first
        self.pending_bytes = 0

    @property
    def sessions(self) -> int:
        """Sessions that asked for a window in the last minute."""
        self._forget_old()
        return len(self._sessions)

    @contextmanager
    def call(self) -> Iterator[None]:
        """Count a stream while it is open, whatever comes over it.

        Raises QueueFullError with a hint when to come back: gRPC's own limit, which lies above, gives none.
        """
        if self.open_calls >= self.max_calls:
            raise QueueFullError(
                f"{self.open_calls} calls are open on this service, which is the limit; come back later", RETRY_MS
            )
        self.open_calls += 1
        try:
            yield
        finally:
            self.open_calls -= 1

    def admit(self, session_id: bytes) -> None:
        """Count one window of a session.

        Raises QueueFullError with a hint when to come back: too many sessions, or this one asks too often.
        """
        self._forget_old()
        rate, now_s = self._limits.max_windows_per_s, self._clock()
        session = self._sessions.get(session_id)
        if session is None:
            if len(self._sessions) >= self._limits.max_sessions:
                oldest = next(iter(self._sessions.values()))
                raise QueueFullError(
                    f"{len(self._sessions)} sessions use this service already, which is the limit; come back later",
                    _whole_ms(oldest.seen_s + SESSION_S - now_s),
                )
            session = self._sessions[session_id] = _Session(rate * BURST_S, now_s)
        session.tokens = min(rate * BURST_S, session.tokens + rate * (now_s - session.seen_s))
        session.seen_s = now_s
        self._sessions.move_to_end(session_id)
        if session.tokens < 1.0:
            raise QueueFullError(
                f"this session asks for more than {rate:g} windows a second; come back later",
                _whole_ms((1.0 - session.tokens) / rate),
            )
        session.tokens -= 1.0

    @contextmanager
    def holding(self, size_bytes: int) -> Iterator[None]:
        """Count pixels that came, or will come, as chunks while a window needs them.

        Raises QueueFullError when all windows together would hold too many.
        """
        limit = self._limits.max_pending_bytes
        if self.pending_bytes and self.pending_bytes + size_bytes > limit:
            raise QueueFullError(
                f"windows under way hold {self.pending_bytes} bytes of frames; {size_bytes} more would pass the limit "
                f"of {limit}; come back later",
                RETRY_MS,
            )
        self.pending_bytes += size_bytes
        try:
            yield
        finally:
            self.pending_bytes -= size_bytes

    def _forget_old(self) -> None:
        now_s = self._clock()
        while self._sessions and now_s - next(iter(self._sessions.values())).seen_s > SESSION_S:
            self._sessions.popitem(last=False)


def _whole_ms(seconds: float) -> int:
    return max(1, math.ceil(1000 * seconds))
