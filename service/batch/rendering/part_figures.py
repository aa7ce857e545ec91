"""Adds up what a part of a clip cost and how it went."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from service.batch.rendering.journal import PartRecord
from service.stereo_model import WindowOutput


class PartFigures:
    """Of one part, while it is rendered."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._warnings: Counter[str] = Counter()
        self._windows = 0
        self._retention = self._disoccluded = 0.0
        self._parallax = (0.0, 0.0)
        self._numbers: list[int] = []
        self._times: list[int] = []
        self.clamped = 0

    def add_window(self, output: WindowOutput) -> None:
        """Count one window."""
        self._windows += 1
        for stage, seconds in output.stage_times.items():
            self._seconds[stage] += seconds
        self._warnings.update(output.warnings)
        self._retention += output.retention
        self._disoccluded += output.disoccluded
        self._parallax = (min(self._parallax[0], output.parallax[0]), max(self._parallax[1], output.parallax[1]))

    def add_frame(self, number: int, time_shown: int) -> None:
        """Count one frame that was written."""
        self._numbers.append(number)
        self._times.append(time_shown)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the time of a stage of ours."""
        start = time.perf_counter()
        yield
        self._seconds[name] += time.perf_counter() - start

    def record(self, frame_step: int) -> PartRecord:
        """All of it; the last frame lasts as long as the one before, or `frame_step`."""
        lasting = self._times[-1] - self._times[-2] if len(self._times) > 1 else frame_step
        return PartRecord(
            numbers=(self._numbers[0], self._numbers[-1]),
            times=(self._times[0], self._times[-1] + lasting),
            seconds=dict(self._seconds),
            warnings=dict(self._warnings),
            windows=self._windows,
            retention=self._retention,
            disoccluded=self._disoccluded,
            parallax=self._parallax,
            clamped=self.clamped,
            elapsed_s=time.perf_counter() - self._start,
        )
