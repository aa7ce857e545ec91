"""⑤ One window on its way through a worker: where it is, whether it should stop, how it ended."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from model.errors import Cancelled
from service.devices.device_memory import in_our_words
from service.errors import DeadlinePassedError, forget_values

Progress = Callable[[str, float], None]
"""(stage, fraction of it done, 0..1); may raise Cancelled or DeadlinePassedError."""

Work = Callable[[Progress], Any]


@dataclass(frozen=True)
class JobState:
    """A glance at a job; safe to take from any thread."""

    stage: str  # "queued", or what the model reports
    fraction: float  # 0..1, never falls
    queue_position: int  # jobs before this one; 0 when running


@dataclass
class WindowJob:
    """One window on its way through a worker. `future` ends with the result, the error, or Cancelled."""

    work: Work
    interactive: bool
    deadline: float | None  # of time.monotonic()
    on_change: Callable[[], None]
    client: bytes = b""
    future: Future = field(default_factory=Future)
    state: JobState = JobState("queued", 0.0, 0)
    _cancelled: threading.Event = field(default_factory=threading.Event)

    def cancel(self) -> None:
        """Stop at the next stage boundary; a job that waits leaves the queue when its turn comes."""
        self._cancelled.set()

    def check(self) -> None:
        """Raise Cancelled or DeadlinePassedError when this job should stop."""
        if self._cancelled.is_set():
            raise Cancelled("the window was cancelled")
        if self.deadline is not None and time.monotonic() > self.deadline:
            raise DeadlinePassedError("the deadline of the window has passed; raise the timeout or lower max width")

    @property
    def cancelled(self) -> bool:
        """Whether somebody asked to stop."""
        return self._cancelled.is_set()

    def report(self, stage: str, fraction: float) -> None:
        """Progress callback of the model: notes where the work is, and stops it if asked."""
        self.check()
        self._become(JobState(stage, min(1.0, max(self.state.fraction, fraction)), 0))

    def moved_to(self, position: int) -> None:
        """Note the place in the queue."""
        self._become(JobState("queued", 0.0, position))

    def _become(self, state: JobState) -> None:
        if state != self.state:
            self.state = state
            self.on_change()

    def run(self) -> None:
        """Do the work and settle the future; the job then holds no pixels but those of the result."""
        error = self._try_into_future()
        if error is not None:
            error = in_our_words(error)
            forget_values(error)  # here, where all functions that it came through have ended
            self.future.set_exception(error)
        del self.work
        self.on_change()

    def _try_into_future(self) -> BaseException | None:
        try:
            self.check()
            self.future.set_result(self.work(self.report))
        except BaseException as error:
            return error
        return None
