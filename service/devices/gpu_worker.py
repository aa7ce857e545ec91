"""⑤ One queue, one device: windows in the order of the fair queue, as many at a time as the device has lanes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from service.devices.fair_queue import FairQueue
from service.devices.window_job import WindowJob, Work
from service.errors import DrainingError, QueueFullError

_THREAD_NAME = "worker "

FIRST_GUESS_S = 1.0
"""How long a window takes, before the first one has been measured; only the retry hint uses it."""


@dataclass(frozen=True)
class WorkerLimits:
    """How much may wait for one device, and when it rests."""

    capacity: int = 32  # jobs waiting or running
    capacity_per_client: int = 32  # of them, one client's
    idle_s: float | None = None  # without work for so long, `on_idle` is called once; None: never


class DeviceWorker:
    """Runs windows on one device: one at a time, or as many as a cluster of devices takes."""

    def __init__(
        self,
        device: str,
        limits: WorkerLimits = WorkerLimits(),
        on_idle: Callable[[], None] = lambda: None,
        lanes: Callable[[], int] = lambda: 1,
    ) -> None:
        """`lanes` is asked for each window how many may run now; the first may always."""
        self.device = device
        self._limits = limits
        self._on_idle = on_idle
        self._lanes = lanes
        self._waiting: FairQueue[WindowJob] = FairQueue()
        self._running: list[WindowJob] = []
        self._condition = threading.Condition()
        self._closing = False
        self._rested = True  # nothing has run since `on_idle`
        self._last_s = FIRST_GUESS_S
        self._threads: list[threading.Thread] = []
        self._add_thread()

    def submit(
        self,
        work: Work,
        *,
        client: bytes = b"",
        interactive: bool = False,
        deadline: float | None = None,
        on_change: Callable[[], None] = lambda: None,
    ) -> WindowJob:
        """Queue `work(progress)`.

        client     who shares the device fairly with other clients
        on_change  called from any thread whenever the job's state changes or it is done

        Raises QueueFullError with a hint when to come back, DrainingError after `close`.
        """
        job = WindowJob(work, interactive, deadline, on_change, client)
        with self._condition:
            if self._closing:
                raise DrainingError("the service is shutting down; repeat the window when it is back")
            self._check_room(client)
            self._waiting.push(job, client, interactive)
            self._tell_positions()
            if len(self._threads) < min(self._width(), self._load()):
                self._add_thread()
            self._condition.notify()
        return job

    def check_room(self, client: bytes = b"") -> None:
        """Raise QueueFullError now, before a client sends frames in vain, if `submit` would."""
        with self._condition:
            self._check_room(client)

    def _check_room(self, client: bytes) -> None:
        self._drop_cancelled()
        further = self._width() - 1  # the limits are for one window at a time
        own = self._waiting.count_of(client) + sum(job.client == client for job in self._running)
        if own >= self._limits.capacity_per_client + further:
            self._refuse(f"{own} windows of this client wait")
        if self._load() >= self._limits.capacity + further:
            self._refuse(f"{self._load()} windows wait")

    def _refuse(self, found: str) -> None:
        raise QueueFullError(
            f"{found} for {self.device} already, which is the limit; come back later",
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
            self._condition.notify_all()
        until = time.monotonic() + wait_s
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _load(self) -> int:
        return len(self._waiting) + len(self._running)

    def _width(self) -> int:
        return max(1, self._lanes())

    def _add_thread(self) -> None:
        thread = threading.Thread(target=self._loop, name=_THREAD_NAME + self.device, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _drop_cancelled(self) -> None:
        """Settle what was cancelled while it waited, so that it takes no place."""
        dropped = [job for job in self._waiting.in_order(self._last_s) if job.cancelled]
        if dropped:
            self._waiting.remove(dropped)
        for job in dropped:
            job.run()

    def _tell_positions(self) -> None:
        ahead = len(self._running)
        for place, job in enumerate(self._waiting.in_order(self._last_s)):
            job.moved_to(place + ahead)

    def _loop(self) -> None:
        while (job := self._next()) is not None:
            self._run(job)
            del job  # and with it the result, while this thread waits for the next one

    def _run(self, job: WindowJob) -> None:
        start = time.monotonic()
        job.run()
        with self._condition:
            if any(running is job for running in self._running):  # the rest of an idle worker is no window
                self._last_s = time.monotonic() - start
                self._waiting.charge(job.client, self._last_s)
                self._running = [running for running in self._running if running is not job]
                self._condition.notify()

    def _next(self) -> WindowJob | None:
        """The next job, once there is one, or `on_idle` as one; None when the worker closes."""
        with self._condition:
            while True:
                self._drop_cancelled()
                if len(self._waiting) and len(self._running) < self._width():
                    job = self._waiting.pop()
                    self._running.append(job)
                    self._rested = False
                    self._tell_positions()
                    return job
                if self._closing:
                    return None
                if not self._condition.wait(None if self._rested else self._limits.idle_s) and not self._running:
                    self._rested = True
                    return WindowJob(lambda _: self._on_idle(), False, None, lambda: None)


def least_loaded(workers: list[DeviceWorker]) -> DeviceWorker:
    """The worker that would begin soonest."""
    return min(workers, key=lambda worker: worker.load)


def is_computing() -> bool:
    """Whether any worker of this process still lives; after `close`, whether one could not be waited for."""
    return any(thread.name.startswith(_THREAD_NAME) for thread in threading.enumerate())
