"""⑤ One thread, one queue, one device. Interactive windows go before batch, each kind in order of arrival."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from model.errors import Cancelled, DeviceMemoryError
from service.errors import DeadlinePassedError, DrainingError, QueueFullError

Progress = Callable[[str, float], None]
Work = Callable[[Progress], Any]

FIRST_GUESS_S = 1.0
"""How long a window takes, before the first one has been measured; only the retry hint uses it."""


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
        """Do the work and settle the future."""
        try:
            self.check()
            result = self.work(self.report)
        except BaseException as error:
            self.future.set_exception(_translated(error))
        else:
            self.future.set_result(result)
        self.on_change()


class DeviceWorker:
    """Runs windows on one device, one at a time."""

    def __init__(self, device: str, capacity: int) -> None:
        self.device = device
        self._capacity = capacity
        self._waiting: list[tuple[int, int, WindowJob]] = []  # (0 interactive | 1 batch, ticket, job)
        self._running: WindowJob | None = None
        self._tickets = itertools.count()
        self._condition = threading.Condition()
        self._closing = False
        self._last_s = FIRST_GUESS_S
        self._thread = threading.Thread(target=self._loop, name=f"worker {device}", daemon=True)
        self._thread.start()

    def submit(
        self, work: Work, *, interactive: bool = False, deadline: float | None = None, on_change=lambda: None
    ) -> WindowJob:
        """Queue `work(progress)`.

        on_change  called from any thread whenever the job's state changes or it is done

        Raises QueueFullError with a hint when to come back, DrainingError after `close`.
        """
        job = WindowJob(work, interactive, deadline, on_change)
        with self._condition:
            if self._closing:
                raise DrainingError("the service is shutting down; repeat the window when it is back")
            self._check_room()
            self._waiting.append((not interactive, next(self._tickets), job))
            self._waiting.sort(key=lambda entry: entry[:2])
            self._tell_positions()
            self._condition.notify()
        return job

    def check_room(self) -> None:
        """Raise QueueFullError now, before a client sends frames in vain, if `submit` would."""
        with self._condition:
            self._check_room()

    def _check_room(self) -> None:
        self._drop_cancelled()
        if self._load() >= self._capacity:
            raise QueueFullError(
                f"{self._load()} windows wait for {self.device} already, which is the limit; come back later",
                retry_after_ms=max(1, round(1000 * self._last_s)),
            )

    @property
    def load(self) -> int:
        """Windows waiting or running."""
        with self._condition:
            self._drop_cancelled()
            return self._load()

    def close(self, wait_s: float) -> bool:
        """Take no more work, finish what is queued; False when it was not done after `wait_s`."""
        with self._condition:
            self._closing = True
            self._condition.notify()
        self._thread.join(wait_s)
        return not self._thread.is_alive()

    def _load(self) -> int:
        return len(self._waiting) + (self._running is not None)

    def _drop_cancelled(self) -> None:
        """Settle what was cancelled while it waited, so that it takes no place."""
        dropped = [job for _, _, job in self._waiting if job.cancelled]
        self._waiting = [entry for entry in self._waiting if not entry[2].cancelled]
        for job in dropped:
            job.run()

    def _tell_positions(self) -> None:
        ahead = int(self._running is not None)
        for place, (_, _, job) in enumerate(self._waiting):
            job.moved_to(place + ahead)

    def _loop(self) -> None:
        while (job := self._next()) is not None:
            start = time.monotonic()
            job.run()
            with self._condition:
                self._last_s = time.monotonic() - start
                self._running = None

    def _next(self) -> WindowJob | None:
        with self._condition:
            while True:
                self._drop_cancelled()
                if self._waiting:
                    self._running = self._waiting.pop(0)[2]
                    self._tell_positions()
                    return self._running
                if self._closing:
                    return None
                self._condition.wait()


def least_loaded(workers: list[DeviceWorker]) -> DeviceWorker:
    """The worker that would begin soonest."""
    return min(workers, key=lambda worker: worker.load)


def _translated(error: BaseException) -> BaseException:
    """Say in our words when memory ran out; torch has a class for it on GPUs and only a text on the processor."""
    out_of_memory = (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or (isinstance(error, RuntimeError) and "can't allocate memory" in str(error))
    )
    if not out_of_memory or isinstance(error, DeviceMemoryError):
        return error
    return DeviceMemoryError(
        "the device has not enough memory for this window; lower max width or the window, or close other programs"
    )
