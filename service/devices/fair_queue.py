"""⑤ Who is next: interactive before batch, and the client that has had least of the device before the others."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Generic, TypeVar

Job = TypeVar("Job")

INTERACTIVE_RUN = 8
"""So many interactive windows may go first in a row while batch windows wait: a client that calls all of its work
interactive slows a night's render down but cannot stop it."""


@dataclass(frozen=True)
class _Entry(Generic[Job]):
    job: Job
    client: bytes
    interactive: bool
    ticket: int


class FairQueue(Generic[Job]):
    """Waiting jobs of many clients (start-time fair queueing, with measured seconds as the cost). Not thread-safe.

    A client that comes, or comes back, starts level with whoever was served last: having been idle earns no credit.
    When nobody is left waiting, all accounts are settled.
    """

    def __init__(self) -> None:
        self._waiting: list[_Entry[Job]] = []
        self._served_s: dict[bytes, float] = {}  # of the clients that wait, or are ahead of `_level_s`
        self._level_s = 0.0
        self._tickets = itertools.count()
        self._interactive_run = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def push(self, job: Job, client: bytes, interactive: bool) -> None:
        """Let a job wait."""
        self._served_s.setdefault(client, self._level_s)
        self._waiting.append(_Entry(job, client, interactive, next(self._tickets)))

    def pop(self) -> Job:
        """Take the next job; there must be one."""
        entry = _next_of(self._waiting, self._served_s, self._interactive_run)
        self._waiting.remove(entry)
        self._interactive_run = self._interactive_run + 1 if entry.interactive else 0
        level_s = self._served_s[entry.client] if self._waiting else max(self._served_s.values())
        self._level_s = max(self._level_s, level_s)
        waiting = {other.client for other in self._waiting} | {entry.client}
        self._served_s = {who: s for who, s in self._served_s.items() if who in waiting or s > self._level_s}
        return entry.job

    def charge(self, client: bytes, seconds: float) -> None:
        """Note what the device spent on a client."""
        self._served_s[client] = max(self._served_s.get(client, 0.0), self._level_s) + seconds

    def count_of(self, client: bytes) -> int:
        """How many jobs of a client wait."""
        return sum(entry.client == client for entry in self._waiting)

    def remove(self, jobs: list[Job]) -> None:
        """Forget jobs, wherever they stand."""
        self._waiting = [entry for entry in self._waiting if not any(entry.job is job for job in jobs)]

    def in_order(self, typical_s: float) -> list[Job]:
        """All jobs as they would be popped if each took `typical_s` and nobody else came."""
        waiting, served_s, run, jobs = list(self._waiting), dict(self._served_s), self._interactive_run, []
        while waiting:
            entry = _next_of(waiting, served_s, run)
            waiting.remove(entry)
            served_s[entry.client] += typical_s
            run = run + 1 if entry.interactive else 0
            jobs.append(entry.job)
        return jobs


def _next_of(waiting: list[_Entry[Job]], served_s: dict[bytes, float], interactive_run: int) -> _Entry[Job]:
    batch_first = interactive_run >= INTERACTIVE_RUN
    return min(waiting, key=lambda entry: (entry.interactive == batch_first, served_s[entry.client], entry.ticket))
