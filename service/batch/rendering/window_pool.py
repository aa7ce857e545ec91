"""Runs the windows of a clip on all devices at once; results come back in the order of the clip."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import wait
from dataclasses import replace
from typing import TypeVar

from service.devices.device_memory import with_second_try
from service.devices.gpu_worker import DeviceWorker, WorkerLimits, least_loaded
from service.devices.window_job import WindowJob
from service.stereo_model import StereoModel, WindowInput, WindowOutput

READ_AHEAD = 1
"""Windows that wait for each device beside those that run, so that no device waits for the reader."""

_UNBOUNDED = WorkerLimits(capacity=sys.maxsize, capacity_per_client=sys.maxsize)
"""The pool itself bounds what it reads ahead."""

GLANCE_S = 0.2
"""How often progress is looked at while a window runs."""

Tag = TypeVar("Tag")


class WindowPool:
    """One worker for each device; a cluster is one device that takes several windows at once."""

    def __init__(self, model: StereoModel, devices: Iterable[str]) -> None:
        self._model = model
        self._workers = [DeviceWorker(device, _UNBOUNDED, lanes=model.lanes) for device in devices]

    @property
    def devices(self) -> str:
        """Their names."""
        return ", ".join(worker.device for worker in self._workers)

    def converted(
        self, windows: Iterable[tuple[Tag, WindowInput]], glance: Callable[[float], None]
    ) -> Iterator[tuple[Tag, WindowOutput]]:
        """Yield each window's tag and result, in the order they came.

        glance  called now and then with how many wanted frames the windows under way have behind them

        Raises what the model raises; windows that wait are dropped then.
        """
        under_way: deque[tuple[Tag, int, WindowJob]] = deque()
        try:
            for tag, window in windows:
                under_way.append((tag, len(window.wanted), self._submit(window)))
                if len(under_way) >= self._most_under_way:
                    yield self._first(under_way, glance)
            while under_way:
                yield self._first(under_way, glance)
        finally:
            for _, _, job in under_way:
                job.cancel()

    @property
    def _most_under_way(self) -> int:
        """A cluster takes several windows at once, and more when machines join."""
        return len(self._workers) * (max(1, self._model.lanes()) + READ_AHEAD)

    def _submit(self, window: WindowInput) -> WindowJob:
        worker = least_loaded(self._workers)

        def work(progress: Callable[[str, float], None]) -> WindowOutput:
            return with_second_try(
                lambda frugal: self._model.convert(replace(window, frugal=frugal), worker.device, progress),
                lambda: self._model.unload(worker.device),
            )

        return worker.submit(work)

    def _first(
        self, under_way: deque[tuple[Tag, int, WindowJob]], glance: Callable[[float], None]
    ) -> tuple[Tag, WindowOutput]:
        """Wait for the oldest window, and take it out."""
        tag, _, job = under_way[0]
        while not wait([job.future], GLANCE_S).done:
            glance(sum(wanted * other.state.fraction for _, wanted, other in under_way))
        result = job.future.result()
        under_way.popleft()
        return tag, result

    def close(self) -> None:
        """Stop the workers."""
        for worker in self._workers:
            worker.close(wait_s=1.0)
