"""One ConvertWindow call from header to summary."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, cast

import grpc.aio
from stereoconvert.v1 import frame_pb2, stereo_convert_pb2

from model.errors import Cancelled, InvalidInputError
from service.config import ServiceLimits
from service.errors import DrainingError, StalledError
from service.frame_cache import FrameBytes, FrameCache
from service.frame_store import FrameStores, StoreSlot
from service.frame_wire import format_to_wire
from service.gpu_worker import DeviceWorker, JobState, WindowJob, least_loaded
from service.stereo_model import StereoModel, WindowOutput
from service.window_pixels import ComputedResults, SourceResults, WindowResults, decode_window
from service.window_plan import WindowPlan, plan_window

log = logging.getLogger(__name__)

END_OF_STREAM = grpc.aio.EOF  # pyright: ignore[reportAttributeAccessIssue] - missing in the type stubs

Request = stereo_convert_pb2.ConvertWindowRequest
Response = stereo_convert_pb2.ConvertWindowResponse


@dataclass
class Workshop:
    """What all calls share."""

    model: StereoModel
    workers: list[DeviceWorker]
    stores: FrameStores
    cache: FrameCache
    limits: ServiceLimits
    copiers: ThreadPoolExecutor  # copies pixels beside the event loop
    calls: dict[bytes, ConvertCall] = field(default_factory=dict)  # by request_id
    draining: bool = False


class ConvertCall:
    """The state of one call. Everything here runs on the event loop but `_compute`, which runs on the worker."""

    def __init__(self, shop: Workshop, context: grpc.aio.ServicerContext) -> None:
        self._shop = shop
        self._context = context
        self._changed = asyncio.Event()  # the job moved on, or the client's side failed
        self._free_slots: asyncio.Queue[StoreSlot] = asyncio.Queue()
        self._lent_slots: dict[tuple[bytes, int], StoreSlot] = {}
        self._client_error: Exception | None = None
        self._task = cast(asyncio.Task, asyncio.current_task())
        self._cancelled = False
        self._job: WindowJob | None = None
        self._transport_s = 0.0

    def cancel(self) -> None:
        """CancelWindow: stop at the next stage boundary."""
        self._cancelled = True
        self._task.cancel()

    async def run(self) -> None:
        """Serve the call; raises what the interceptor turns into a status."""
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
        plan = plan_window(await self._read_header(), self._shop.limits, self._shop.stores)
        async with self._registered(plan):
            start = time.perf_counter()
            received = await self._receive_frames(plan)
            self._transport_s = time.perf_counter() - start
            reader = asyncio.create_task(self._read_releases(bool(plan.output_slots)))
            try:
                await self._answer(plan, received)
            finally:
                reader.cancel()
                if self._job is not None:
                    self._job.cancel()

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
            yield
        finally:
            for store in stores:
                store.release()
            del self._shop.calls[plan.request_id]

    # ---- from the client

    async def _read(self) -> Request | None:
        """The next message; None when the client has said all."""
        try:
            async with asyncio.timeout(self._shop.limits.stall_s):
                message = await self._context.read()
        except TimeoutError:
            raise StalledError(f"nothing came from the client for {self._shop.limits.stall_s:g} s") from None
        return None if message is END_OF_STREAM else message

    async def _read_header(self) -> stereo_convert_pb2.WindowHeader:
        message = await self._read()
        kind = message.WhichOneof("message") if message is not None else "the end of the stream"
        if message is None or kind != "header":
            raise InvalidInputError(f"the first message must be `header`; got {kind or 'an empty one'}")
        return message.header

    async def _receive_frames(self, plan: WindowPlan) -> dict[bytes, FrameBytes]:
        """Ask for the frames that are neither in slots nor in the cache, and read their chunks in that order."""
        sizes = {frame.content_key: frame.format.frame_bytes for frame in plan.frames + plan.depth if not frame.slot}
        received: dict[bytes, FrameBytes] = {}
        for key, size in sizes.items():
            known = self._shop.cache.get((plan.session_id, key), size)
            if known is not None:
                received[key] = known
        needed = [key for key in sizes if key not in received]
        await self._send(frames_needed=stereo_convert_pb2.FramesNeeded(content_keys=needed))
        for key in needed:
            received[key] = await self._receive_frame(key, sizes[key])
            self._shop.cache.put((plan.session_id, key), received[key])
        return received

    async def _receive_frame(self, key: bytes, size: int) -> bytearray:
        frame = bytearray(size)
        end = 0
        while end < size:
            message = await self._read()
            if message is None:
                raise InvalidInputError(f"the stream ended after {end} of the {size} bytes of a frame it announced")
            if message.WhichOneof("message") != "chunk":
                raise InvalidInputError("expected `chunk` messages for the frames of frames_needed")
            self._check_chunk(message.chunk, key, end, size)
            frame[end : end + len(message.chunk.data)] = message.chunk.data
            end += len(message.chunk.data)
        return frame

    def _check_chunk(self, chunk: frame_pb2.FrameChunk, key: bytes, end: int, size: int) -> None:
        if chunk.content_key != key:
            raise InvalidInputError("chunk.content_key is not that of the frame due; send them as frames_needed lists")
        if chunk.offset_bytes != end:
            raise InvalidInputError(f"chunk.offset_bytes is {chunk.offset_bytes}; {end} is due: chunks go in order")
        largest = min(self._shop.limits.max_chunk_bytes, size - end)
        if not 1 <= len(chunk.data) <= largest:
            raise InvalidInputError(f"chunk.data has {len(chunk.data)} bytes; it must have 1..{largest} here")

    async def _read_releases(self, slots_in_use: bool) -> None:
        """Take back output slots until the client has said all; note what it does wrong."""
        try:
            while (message := await self._context.read()) is not END_OF_STREAM:
                if message.WhichOneof("message") != "release_slot" or not slots_in_use:
                    raise InvalidInputError("only release_slot for an output slot may follow the frames")
                self._release(message.release_slot)
        except InvalidInputError as error:
            self._client_error = error
            self._changed.set()

    def _release(self, location: frame_pb2.StoreLocation) -> None:
        slot = self._lent_slots.pop((location.store_id, location.offset_bytes), None)
        if slot is None:
            raise InvalidInputError("release_slot names no slot that holds a result of this window")
        self._free_slots.put_nowait(slot)
        self._changed.set()

    # ---- to the client

    async def _send(self, **message: Any) -> None:
        try:
            async with asyncio.timeout(self._shop.limits.stall_s):
                await self._context.write(Response(**message))
        except TimeoutError:
            raise StalledError(f"the client read nothing for {self._shop.limits.stall_s:g} s") from None

    async def _answer(self, plan: WindowPlan, received: dict[bytes, FrameBytes]) -> None:
        start = time.perf_counter()
        summary = stereo_convert_pb2.WindowSummary(model_version=self._shop.model.version())
        if plan.is_passthrough:
            results: WindowResults = SourceResults(plan, received)
            await self._deliver(plan, results)
        else:
            worker = least_loaded(self._shop.workers)
            output = await self._computed(plan, received, worker)
            results = ComputedResults(plan, output)
            await self._deliver(plan, results)
            _describe_output(summary, plan, output, results, worker.device)
        _add_stage(summary, "transport", self._transport_s)
        await self._send(summary=summary)
        log.info(
            "window %s: %d frames of %s, output %s, %.3f s",
            plan.label, len(plan.frames), plan.frames[0].format, plan.settings.output, time.perf_counter() - start,
        )  # fmt: skip

    async def _computed(
        self, plan: WindowPlan, received: dict[bytes, FrameBytes], worker: DeviceWorker
    ) -> WindowOutput:
        """Queue the window and pass its progress on until it is done."""
        loop = asyncio.get_running_loop()

        def notify() -> None:
            with suppress(RuntimeError):  # the loop is closed: the service left before this job was done
                loop.call_soon_threadsafe(self._changed.set)

        left_s = self._context.time_remaining()
        deadline = time.monotonic() + left_s if left_s is not None else None
        job = self._job = worker.submit(
            lambda progress: self._compute(plan, received, worker.device, progress),
            interactive=plan.interactive,
            deadline=deadline,
            on_change=notify,
        )
        told: JobState | None = None
        while not job.future.done():
            if self._client_error is not None:
                raise self._client_error
            if job.state != told:
                told = job.state
                await self._send(
                    progress=stereo_convert_pb2.Progress(
                        stage=told.stage, fraction=told.fraction, queue_position=told.queue_position
                    )
                )
                continue
            self._changed.clear()
            if not job.future.done() and job.state == told:
                await self._changed.wait()
        return job.future.result()

    def _compute(self, plan: WindowPlan, received: dict[bytes, FrameBytes], device: str, progress: Any) -> WindowOutput:
        progress("transport", 0.0)
        start = time.perf_counter()
        window = decode_window(plan, received)
        self._transport_s += time.perf_counter() - start
        return self._shop.model.convert(window, device, progress)

    async def _deliver(self, plan: WindowPlan, results: WindowResults) -> None:
        """Send each wanted frame, most urgent first."""
        for slot in plan.output_slots:
            self._free_slots.put_nowait(slot)
        start = time.perf_counter()
        for position, index in enumerate(plan.wanted):
            if plan.output_slots:
                await self._deliver_in_slot(position, index, results)
            else:
                await self._deliver_in_chunks(position, index, results)
        self._transport_s += time.perf_counter() - start

    async def _deliver_in_slot(self, position: int, index: int, results: WindowResults) -> None:
        slot = await self._free_slot()
        await self._copy(results.write, position, slot.view())
        location = frame_pb2.StoreLocation(
            store_id=slot.store.store_id, offset_bytes=slot.offset_bytes, size_bytes=slot.size_bytes
        )
        self._lent_slots[slot.store.store_id, slot.offset_bytes] = slot
        await self._send(
            result=stereo_convert_pb2.ResultFrame(index=index, format=format_to_wire(results.format), location=location)
        )

    async def _deliver_in_chunks(self, position: int, index: int, results: WindowResults) -> None:
        pixels = memoryview(await self._copy(results.pixels, position))
        await self._send(result=stereo_convert_pb2.ResultFrame(index=index, format=format_to_wire(results.format)))
        step = self._shop.limits.max_chunk_bytes
        for offset in range(0, len(pixels), step):
            data = bytes(pixels[offset : offset + step])
            await self._send(chunk=frame_pb2.FrameChunk(offset_bytes=offset, data=data))

    async def _free_slot(self) -> StoreSlot:
        """Wait for an output slot that the client has read."""
        try:
            async with asyncio.timeout(self._shop.limits.stall_s):
                while self._free_slots.empty():
                    if self._client_error is not None:
                        raise self._client_error
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise StalledError(
                f"no output slot came back by release_slot for {self._shop.limits.stall_s:g} s"
            ) from None
        return self._free_slots.get_nowait()

    async def _copy(self, function: Any, *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._shop.copiers, function, *arguments)


def _describe_output(
    summary: stereo_convert_pb2.WindowSummary,
    plan: WindowPlan,
    output: WindowOutput,
    results: ComputedResults,
    device: str,
) -> None:
    summary.inpainter = plan.inpainter if plan.settings.engine == "sasi" else ""
    summary.depth_estimator = output.depth_estimator
    summary.device = device
    summary.retention = output.retention
    summary.disoccluded = output.disoccluded
    summary.min_parallax, summary.max_parallax = output.parallax
    summary.warnings.extend(output.warnings)
    if warning := results.clamp_warning():
        summary.warnings.append(warning)
    for stage, seconds in output.stage_times.items():
        _add_stage(summary, stage, seconds)


def _add_stage(summary: stereo_convert_pb2.WindowSummary, stage: str, seconds: float) -> None:
    summary.stage_times.append(stereo_convert_pb2.StageTime(stage=stage, seconds=seconds))
