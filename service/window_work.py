"""⑤–⑨ What a worker does for one window: its pixels become arrays, the model or a cache answers."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextvars import copy_context
from dataclasses import dataclass, replace

from service.caches.frame_cache import FrameBytes
from service.devices.device_memory import with_second_try
from service.devices.window_job import Progress
from service.stereo_model import WindowInput, WindowOutput
from service.watching.recent_frames import VIEWS
from service.watching.telemetry import WindowTrace
from service.wire.window_pixels import decode_window
from service.wire.window_plan import WindowPlan
from service.workshop import Workshop


@dataclass
class WorkNotes:
    """What the worker found out on its way."""

    queue_s: float = 0.0
    decode_s: float = 0.0
    remembered: bool = False  # the result lay in the cache


class WindowWork:
    """Made when a window is queued, called once on its worker's thread. It alone holds the window's pixels."""

    def __init__(
        self,
        shop: Workshop,
        plan: WindowPlan,
        received: Mapping[bytes, FrameBytes],
        device: str,
        trace: WindowTrace,
    ) -> None:
        self.notes = WorkNotes()
        self._shop = shop
        self._plan = plan
        self._received = received
        self._device = device
        self._trace = trace
        self._queued_s, self._queued_ns = time.perf_counter(), time.time_ns()
        self._context = copy_context()  # the worker's log lines are about this request

    def __call__(self, progress: Progress) -> WindowOutput:
        """Convert the window; once more with less memory, if that runs out."""
        self.notes.queue_s = time.perf_counter() - self._queued_s
        self._trace.note("queue", self._queued_ns)
        return self._context.run(
            with_second_try,
            lambda frugal: self._output(progress, frugal),
            lambda: self._shop.make_room(self._device),
        )

    def _output(self, progress: Progress, frugal: bool) -> WindowOutput:
        progress("transport", 0.0)
        start = time.perf_counter()
        with self._trace.stage("decode"):
            window = replace(decode_window(self._plan, self._received, self._shop.digest_seed), frugal=frugal)
        self.notes.decode_s += time.perf_counter() - start
        kept = self._shop.results.find(window, self._device)
        self.notes.remembered = kept is not None
        if kept is not None:
            return kept
        start_ns = time.time_ns()
        output = self._converted(window, progress)
        self._trace.stages_of_model(start_ns, output.stage_times)
        self._shop.results.keep(window, self._device, output)
        return output

    def _converted(self, window: WindowInput, progress: Progress) -> WindowOutput:
        """Ask the model; where the page of `--web` is open, ask for its views too and show the middle frame."""
        recent = self._shop.recent
        if recent is None:
            return self._shop.model.convert(window, self._device, progress)
        output = self._shop.model.convert(replace(window, also=VIEWS), self._device, progress)
        middle = len(self._plan.wanted) // 2
        views = {name: images[middle] for name, images in zip(VIEWS, output.also, strict=True)}
        recent.keep(self._plan.label, self._plan.first_frame + self._plan.wanted[middle], views)
        return replace(output, also=())
