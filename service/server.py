"""④ The servicer: the four calls of stereoconvert.v1, each handed to what owns it."""

from __future__ import annotations

import asyncio
import logging
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import grpc.aio
from stereoconvert.v1 import stereo_convert_pb2, stereo_convert_pb2_grpc

from model.errors import InvalidInputError
from service.access.admission import Admission
from service.activity import Activity
from service.caches.frame_cache import FrameCache
from service.caches.result_cache import ResultCache
from service.caches.spill import Spill
from service.config import ServiceConfig
from service.convert_call import ConvertCall
from service.devices.found_devices import device_facts, resolve_devices
from service.devices.gpu_worker import DeviceWorker, WorkerLimits
from service.devices.window_job import WindowJob
from service.errors import DrainingError, StalledError
from service.models.model_version import product_version
from service.stereo_model import StereoModel
from service.watching.metrics import Metrics
from service.watching.recent_frames import RecentFrames
from service.watching.telemetry import Telemetry
from service.wire.frame_store import FrameStores
from service.wire.message_reader import next_message
from service.wire.window_plan import CONTRACT_VERSION, check_id
from service.workshop import Workshop

log = logging.getLogger(__name__)

CLUSTER = "cluster"
"""What stands for all devices of a cluster in Describe, in summaries and in metrics."""

COPIER_THREADS = 4
DESCRIBE_WAIT_S = 2.0
"""How long Describe waits for a model that is just being loaded; then it says what is known so far."""


class StereoConvertServicer(stereo_convert_pb2_grpc.StereoConvertServiceServicer):
    """The service as the proto describes it. What a method raises, the interceptor turns into a status."""

    def __init__(
        self,
        config: ServiceConfig,
        model: StereoModel,
        spill: Spill | None = None,
        telemetry: Telemetry | None = None,
    ) -> None:
        self._config = config
        self._model = model
        self._started = time.monotonic()
        self._loading: list[WindowJob] = []
        self.activity = Activity()
        limits = config.limits
        workers = [self._worker(device) for device in _devices(config)]
        self.shop = Workshop(
            model=model,
            workers=workers,
            stores=FrameStores(limits.max_stores, limits.max_store_bytes),
            cache=FrameCache(limits.cache_bytes, spill),
            results=ResultCache(limits.result_cache_bytes, spill),
            spill=spill,
            telemetry=telemetry or Telemetry(),
            limits=limits,
            admission=Admission(limits, devices=len(workers)),
            metrics=Metrics(),
            recent=RecentFrames() if config.web_port is not None else None,
            copiers=ThreadPoolExecutor(COPIER_THREADS, thread_name_prefix="copier"),
        )
        self.shop.metrics.watch(self.shop)

    def _worker(self, device: str) -> DeviceWorker:
        limits = self._config.limits
        bounds = WorkerLimits(limits.max_queued_windows, limits.max_queued_per_session, self._config.unload_idle_s)
        return DeviceWorker(device, bounds, on_idle=lambda: self._unload(device), lanes=self._model.lanes)

    def _unload(self, device: str) -> None:
        log.info("%s is idle; its models are unloaded until the next window", device)
        self._model.unload(device)

    def warm_up(self) -> None:
        """Load the model in the background, on the workers themselves."""
        for worker in self.shop.workers:
            job = worker.submit(lambda _, device=worker.device: self._model.load(device))
            job.future.add_done_callback(_log_failure)
            self._loading.append(job)

    def close(self, wait_s: float) -> bool:
        """Finish what the workers have; False when some of it was cut off."""
        done = [worker.close(wait_s) for worker in self.shop.workers]
        self.shop.copiers.shutdown(wait=False, cancel_futures=True)
        return all(done)

    async def _loaded(self, timeout_s: float) -> None:
        pending = [asyncio.wrap_future(job.future) for job in self._loading if not job.future.done()]
        if pending:
            await asyncio.wait(pending, timeout=timeout_s)

    async def Describe(  # noqa: N802 - named by the proto
        self, request: stereo_convert_pb2.DescribeRequest, context: Any
    ) -> stereo_convert_pb2.DescribeResponse:
        """Say what this service is and can do."""
        limits = self._config.limits
        await self._loaded(DESCRIBE_WAIT_S)
        inventory = self._model.inventory()
        return stereo_convert_pb2.DescribeResponse(
            service_version=product_version(),
            contract_version=CONTRACT_VERSION,
            model_version=self._model.version(),
            devices=[
                stereo_convert_pb2.Device(
                    name=worker.device, queued_windows=worker.load, **vars(device_facts(worker.device))
                )
                for worker in self.shop.workers
            ],
            inpainters=[stereo_convert_pb2.Inpainter(**vars(entry)) for entry in inventory.inpainters],
            depth_estimators=[stereo_convert_pb2.DepthEstimator(**vars(entry)) for entry in inventory.depth_estimators],
            limits=stereo_convert_pb2.Limits(
                max_width=limits.max_width,
                max_height=limits.max_height,
                max_window=limits.max_window,
                max_window_bytes=limits.max_window_bytes,
                max_queued_windows=limits.max_queued_windows,
                max_chunk_bytes=limits.max_chunk_bytes,
            ),
            uptime_s=time.monotonic() - self._started,
        )

    async def ShareFrameStore(self, request_iterator: Any, context: grpc.aio.ServicerContext) -> None:  # noqa: N802
        """Map the client's memory, prove it, and keep it while the stream is open."""
        if self.shop.draining:
            raise DrainingError("the service is shutting down; share the store again when it is back")
        with self.shop.admission.call():
            await self._share(await self._first_of(context), context)

    async def _first_of(self, context: grpc.aio.ServicerContext) -> stereo_convert_pb2.ShareFrameStoreRequest:
        """The message that names a store; a stream without one would keep its place for ever."""
        stall_s = self._config.limits.stall_s
        try:
            async with asyncio.timeout(stall_s):
                request = await next_message(context)
        except TimeoutError:
            raise StalledError(f"the stream named no store for {stall_s:g} s") from None
        if request is None:
            raise InvalidInputError("the stream ended before it named a store")
        return request

    async def _share(
        self, request: stereo_convert_pb2.ShareFrameStoreRequest, context: grpc.aio.ServicerContext
    ) -> None:
        store = self.shop.stores.open(request)
        try:
            client_nonce, service_nonce = store.exchange_nonces()
            await context.write(
                stereo_convert_pb2.ShareFrameStoreResponse(
                    store_id=store.store_id, client_nonce=client_nonce, service_nonce=service_nonce
                )
            )
            if await next_message(context) is not None:
                raise InvalidInputError("a stream shares one store; open another stream for another store")
        finally:
            self.shop.stores.close(store)

    async def ConvertWindow(self, request_iterator: Any, context: grpc.aio.ServicerContext) -> None:  # noqa: N802
        """Convert one window."""
        with self.activity.window(), self.shop.admission.call():
            await ConvertCall(self.shop, context).run()

    async def CancelWindow(  # noqa: N802
        self, request: stereo_convert_pb2.CancelWindowRequest, context: Any
    ) -> stereo_convert_pb2.CancelWindowResponse:
        """Cancel a window by its request_id."""
        check_id("request_id", request.request_id)
        call = self.shop.calls.get(request.request_id)
        if call is not None:
            call.cancel()
        return stereo_convert_pb2.CancelWindowResponse(found=call is not None)


def _devices(config: ServiceConfig) -> list[str]:
    return resolve_devices(config.devices) if config.cluster is None else [CLUSTER]


def _log_failure(future: Future) -> None:
    if not future.cancelled() and (error := future.exception()) is not None:
        log.error("the model could not be loaded: %s", error)
