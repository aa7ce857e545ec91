"""One ConvertWindow call from header to summary."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import cast

import grpc.aio
from stereoconvert.v1 import stereo_convert_pb2

from model.errors import Cancelled, InvalidInputError
from service.caches.frame_cache import FrameBytes
from service.devices.gpu_worker import least_loaded
from service.devices.window_job import JobState, WindowJob
from service.errors import DrainingError
from service.stereo_model import WindowOutput
from service.watching.logs import request_label
from service.watching.telemetry import Attribute, WindowTrace
from service.window_work import WindowWork, WorkNotes
from service.wire.frame_receiver import FrameReceiver
from service.wire.settings_wire import unknown_warning
from service.wire.slot_pool import SlotPool
from service.wire.window_delivery import WindowDelivery
from service.wire.window_pixels import ComputedResults, SourceResults, clamp_warning
from service.wire.window_plan import WindowPlan, plan_window
from service.wire.window_stream import WindowStream
from service.workshop import Workshop

log = logging.getLogger(__name__)


class ConvertCall:
    """The state of one call, on the event loop. It holds no pixels when it has ended, however long it is remembered."""

    def __init__(self, shop: Workshop, context: grpc.aio.ServicerContext) -> None:
        self._shop = shop
        self._stream = WindowStream(context, shop.limits.stall_s)
        self._changed = asyncio.Event()  # the job moved on, or the client's side failed
        self._client_error: Exception | None = None
        self._trace = WindowTrace()
        self._task = cast(asyncio.Task, asyncio.current_task())
        self._cancelled = False
        self._start_s = time.perf_counter()
        self._transport_s = 0.0
        left_s = context.time_remaining()  # by the wall clock, which may jump: read once, at the start
        self._deadline = None if left_s is None else time.monotonic() + left_s

    def cancel(self) -> None:
        """CancelWindow: stop at the next stage boundary."""
        self._cancelled = True
        self._task.cancel()

    async def run(self) -> None:
        """Serve the call; raises what the interceptor turns into a status."""
        with self._shop.telemetry.window() as self._trace:
            await self._run()

    async def _run(self) -> None:
        if self._shop.draining:
            raise DrainingError("the service is shutting down; repeat the window when it is back")
        try:
            await self._serve()
        except asyncio.CancelledError:
            if not self._cancelled:  # the client is gone, or its deadline has passed
                raise
            self._task.uncancel()
            raise Cancelled("the window was cancelled") from None

    async def _serve(self) -> None:
        plan = plan_window(await self._stream.header(), self._shop.limits, self._shop.stores)
        request_label.set(plan.label)
        self._trace.attributes.update(_facts(plan))
        self._shop.admission.admit(plan.session_id)
        if not plan.is_passthrough:
            least_loaded(self._shop.workers).check_room(plan.session_id)
        async with self._registered(plan):
            start = time.perf_counter()
            with self._trace.stage("receive"):
                received = await self._receive(plan)
            self._transport_s = time.perf_counter() - start
            slots = SlotPool(plan.output_slots, self._shop.limits.stall_s)
            reader = asyncio.create_task(self._read_releases(slots))
            try:
                await self._answer(plan, received, slots)
            finally:
                reader.cancel()

    @asynccontextmanager
    async def _registered(self, plan: WindowPlan) -> AsyncIterator[None]:
        """Be known to CancelWindow, and hold the stores, while the call lasts."""
        if plan.request_id in self._shop.calls:
            raise InvalidInputError("header.request_id is that of a window in progress; use 16 fresh random bytes")
        slots = [frame.slot for frame in plan.frames + plan.depth] + list(plan.output_slots)
        stores = {slot.store for slot in slots if slot is not None}
        self._shop.calls[plan.request_id] = self
        for store in stores:
            store.acquire()
        try:
            with self._shop.admission.holding(plan.chunk_bytes):
                yield
        finally:
            for store in stores:
                store.release()
            del self._shop.calls[plan.request_id]

    async def _receive(self, plan: WindowPlan) -> dict[bytes, FrameBytes]:
        receiver = await self._receiver(plan)
        await self._stream.send(frames_needed=stereo_convert_pb2.FramesNeeded(content_keys=receiver.needed))
        return await receiver.receive(self._stream.read)

    async def _receiver(self, plan: WindowPlan) -> FrameReceiver:
        """Look what the session has sent before; on disk, if there is a spill, beside the event loop."""
        look = partial(FrameReceiver, plan, self._shop.cache, self._shop.limits.max_chunk_bytes)
        return look() if self._shop.spill is None else await asyncio.to_thread(look)

    async def _read_releases(self, slots: SlotPool) -> None:
        """Take back output slots beside the answer; note what the client does wrong."""
        try:
            await self._stream.give_back(slots)
        except InvalidInputError as error:
            self._client_error = error
            self._changed.set()
            slots.fail(error)

    async def _answer(self, plan: WindowPlan, received: dict[bytes, FrameBytes], slots: SlotPool) -> None:
        delivery = WindowDelivery(
            self._stream.send,
            self._shop.copiers,
            slots if plan.output_slots else None,
            self._shop.limits.max_chunk_bytes,
        )
        summary = stereo_convert_pb2.WindowSummary(model_version=self._shop.model.version())
        notes = WorkNotes()
        if plan.is_passthrough:
            await self._timed(delivery.deliver(plan.wanted, SourceResults(plan, received)))
        else:
            worker = least_loaded(self._shop.workers)
            work = WindowWork(self._shop, plan, received, worker.device, self._trace)
            notes = work.notes
            output = await self._finished(
                worker.submit(
                    work,
                    client=plan.session_id,
                    interactive=plan.interactive,
                    deadline=self._deadline,
                    on_change=self._notifier(),
                )
            )
            clamped = await self._timed(delivery.deliver(plan.wanted, ComputedResults(plan, output)))
            _describe_output(summary, plan, output, worker.device)
            if clamped:
                summary.warnings.append(clamp_warning(clamped, plan.result_format))
        if plan.unknown_settings:
            summary.warnings.append(unknown_warning(plan.unknown_settings))
        _add_stage(summary, "transport", self._transport_s + notes.decode_s)
        await self._stream.send(summary=summary)
        self._note(plan, summary, notes)

    async def _timed(self, delivering: Awaitable[int]) -> int:
        """Count what `delivering` takes as transport."""
        start = time.perf_counter()
        with self._trace.stage("deliver"):
            clamped = await delivering
        self._transport_s += time.perf_counter() - start
        return clamped

    def _note(self, plan: WindowPlan, summary: stereo_convert_pb2.WindowSummary, notes: WorkNotes) -> None:
        """Tell log and metrics of a window that went back whole."""
        whole_s = time.perf_counter() - self._start_s
        stages = {**self._trace.seconds(), "whole": whole_s}
        self._shop.metrics.count_window(len(plan.wanted), stages)
        self._trace.attributes.update(device=summary.device, retention=summary.retention, remembered=notes.remembered)
        if summary.inpainter and not notes.remembered:
            self._shop.metrics.note_retention(summary.retention)
        log.info(
            "%d of %d frames of %s, output %s, %.3f s, %.3f s of them in the queue%s",
            len(plan.wanted), len(plan.frames), plan.frames[0].format, plan.settings.output, whole_s, notes.queue_s,
            ", remembered" if notes.remembered else "",
        )  # fmt: skip

    def _notifier(self) -> Callable[[], None]:
        """What wakes this call from any thread, without holding it."""
        loop, wake = asyncio.get_running_loop(), self._changed.set

        def notify() -> None:
            with suppress(RuntimeError):  # the loop is closed: the service left before this job was done
                loop.call_soon_threadsafe(wake)

        return notify

    async def _finished(self, job: WindowJob) -> WindowOutput:
        """Pass the job's progress on until it is done; stop it if this call ends before."""
        told: JobState | None = None
        try:
            while not job.future.done():
                if self._client_error is not None:
                    raise self._client_error
                if job.state != told:
                    told = job.state
                    await self._stream.send(progress=_progress(told))
                    continue
                self._changed.clear()
                if not job.future.done() and job.state == told:
                    await self._changed.wait()
            return job.future.result()
        finally:
            job.cancel()
            del job  # its error holds this call, too


def _facts(plan: WindowPlan) -> dict[str, Attribute]:
    """What a trace says of a window: sizes and choices, nothing of its content."""
    frame_format = plan.frames[0].format
    return {
        "request": plan.label,
        "frames": len(plan.frames),
        "wanted": len(plan.wanted),
        "width": frame_format.width,
        "height": frame_format.height,
        "output": plan.settings.output,
        "engine": plan.settings.engine,
        "interactive": plan.interactive,
    }


def _progress(state: JobState) -> stereo_convert_pb2.Progress:
    return stereo_convert_pb2.Progress(stage=state.stage, fraction=state.fraction, queue_position=state.queue_position)


def _describe_output(
    summary: stereo_convert_pb2.WindowSummary, plan: WindowPlan, output: WindowOutput, device: str
) -> None:
    summary.inpainter = plan.inpainter if plan.settings.engine == "sasi" else ""
    summary.depth_estimator = output.depth_estimator
    summary.device = device
    summary.retention = output.retention
    summary.disoccluded = output.disoccluded
    summary.min_parallax, summary.max_parallax = output.parallax
    summary.warnings.extend(output.warnings)
    for stage, seconds in output.stage_times.items():
        _add_stage(summary, stage, seconds)


def _add_stage(summary: stereo_convert_pb2.WindowSummary, stage: str, seconds: float) -> None:
    summary.stage_times.append(stereo_convert_pb2.StageTime(stage=stage, seconds=seconds))
