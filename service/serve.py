"""`python -m service serve`: sockets, health, signals, and leaving in good order."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from dataclasses import dataclass

import grpc
import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer as AioHealth  # health.aio, as type checkers see it
from grpc_reflection.v1alpha import reflection
from stereoconvert.v1 import stereo_convert_pb2, stereo_convert_pb2_grpc

from service.access.auth import TokenInterceptor, load_or_create_token
from service.access.connections import Options, door_options, raise_file_limit
from service.access.tls import TlsFiles, server_credentials
from service.caches.spill import Spill
from service.config import ServiceConfig
from service.devices.allocator import hold_memory_well
from service.error_interceptor import ErrorInterceptor
from service.errors import CannotListenError
from service.orphan import leave_when_lost
from service.runtime_dir import InstanceLock, make_private_dir, remove_stale_socket
from service.server import StereoConvertServicer
from service.stereo_model import StereoModel
from service.watching.local_http import Listening
from service.watching.telemetry import Telemetry
from service.watching.web_page import WebPage

log = logging.getLogger(__name__)

SERVICE_NAME = stereo_convert_pb2.DESCRIPTOR.services_by_name["StereoConvertService"].full_name
SPARE_CALLS = 64
"""Calls that may be open beside windows and stores: Describe, health, CancelWindow, refusals."""

STOP_GRACE_S = 1.0
IDLE_CHECKS = 10
"""How often an idle service looks at the clock within its --idle-exit."""


@dataclass
class RunningService:
    """A service that listens; `port` is that of TCP, None without."""

    servicer: StereoConvertServicer
    servers: list[grpc.aio.Server]
    health: AioHealth
    port: int | None
    metrics: Listening | None = None
    page: WebPage | None = None

    async def stop(self, drain_s: float, hurry: asyncio.Event | None = None) -> None:
        """Refuse new calls, let running ones finish within `drain_s` or until `hurry` is set, then close."""
        self.servicer.shop.draining = True
        await self.health.enter_graceful_shutdown()
        await self.servicer.activity.finish(drain_s, hurry or asyncio.Event())
        for page in (self.metrics, self.page):
            if page is not None:
                await asyncio.to_thread(page.close)
        # What is still open now are stores, which hosts keep open for good, and windows that are too late.
        await asyncio.gather(*(server.stop(STOP_GRACE_S) for server in self.servers))
        if not await asyncio.to_thread(self.servicer.close, 1.0):
            log.warning("left while a device was still at work: on a window, whose client was told, or loading models")


async def start(
    config: ServiceConfig, model: StereoModel, spill: Spill | None = None, telemetry: Telemetry | None = None
) -> RunningService:
    """Listen on the Unix socket, and on TCP if configured. The caller holds the instance lock."""
    servicer = StereoConvertServicer(config, model, spill, telemetry)
    health_servicer = AioHealth()
    await health_servicer.set(SERVICE_NAME, health_pb2.HealthCheckResponse.SERVING)
    connections, open_files = config.limits.max_connections, raise_file_limit()
    local = _server(servicer, health_servicer, [], door_options(connections, open_files, is_tcp=False))
    _listen(local, f"unix:{config.socket_path}")
    os.chmod(config.socket_path, 0o600)
    servers, port = [local], None
    if config.listen is not None:
        token = load_or_create_token(config.token_path)
        guard = TokenInterceptor(token, servicer.shop.metrics.count_error)
        remote = _server(servicer, health_servicer, [guard], door_options(connections, open_files, is_tcp=True))
        port = _listen(remote, config.listen, _tls(config))
        servers.append(remote)
    metrics = None if config.metrics_port is None else servicer.shop.metrics.listen(config.metrics_port)
    recent = servicer.shop.recent
    page = WebPage(config.web_port, servicer.shop, recent) if config.web_port is not None and recent else None
    for server in servers:
        await server.start()
    if config.warm_up:
        servicer.warm_up()
    return RunningService(servicer, servers, health_servicer, port, metrics, page)


def _tls(config: ServiceConfig) -> grpc.ServerCredentials | None:
    if config.tls_certificate is None:
        return None
    return server_credentials(TlsFiles(config.tls_certificate, config.tls_key, config.tls_client_authorities))


def _listen(server: grpc.aio.Server, address: str, tls: grpc.ServerCredentials | None = None) -> int:
    """Bind, and return the port."""
    try:
        return server.add_insecure_port(address) if tls is None else server.add_secure_port(address, tls)
    except RuntimeError:  # gRPC's own text names no cause
        raise CannotListenError(f"cannot listen on {address}: it is taken or forbidden; choose another") from None


def _server(
    servicer: StereoConvertServicer,
    health_servicer: AioHealth,
    guards: list[grpc.aio.ServerInterceptor],
    options: Options,
) -> grpc.aio.Server:
    server = grpc.aio.server(
        interceptors=[*guards, ErrorInterceptor(servicer.shop.metrics.count_error)],
        options=options,
        maximum_concurrent_rpcs=servicer.shop.admission.max_calls + SPARE_CALLS,
    )
    stereo_convert_pb2_grpc.add_StereoConvertServiceServicer_to_server(servicer, server)
    health_pb2_grpc.add_HealthServicer_to_server(health_servicer, server)
    reflection.enable_server_reflection((SERVICE_NAME, health.SERVICE_NAME, reflection.SERVICE_NAME), server)
    return server


async def serve(
    config: ServiceConfig, model: StereoModel, spill: Spill | None = None, telemetry: Telemetry | None = None
) -> int:
    """Run until SIGTERM, SIGINT or idleness; return the exit code. `spill` is that of the model's caches, too.

    A second instance leaves at once with 0: the first one serves everybody. If somebody has stopped that (SIGSTOP), it
    goes on, for the second was started because it did not answer.
    """
    os.umask(0o077)
    hold_memory_well()
    make_private_dir(config.runtime_dir)
    make_private_dir(config.socket_path.parent)
    lock = InstanceLock(config.lock_path)
    if not lock.acquire():
        woken = lock.wake_holder()
        log.info("a service runs already at %s%s", config.socket_path, "; it was stopped, and goes on" if woken else "")
        return 0
    try:
        remove_stale_socket(config.socket_path)
        await _serve_until_told(config, model, spill, telemetry)
        remove_stale_socket(config.socket_path)  # gRPC may have done so; never removes what is no socket
    finally:
        lock.release()
    return 0


async def _serve_until_told(
    config: ServiceConfig, model: StereoModel, spill: Spill | None, telemetry: Telemetry | None
) -> None:
    told, hurry = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _hear, told, hurry)
    running = await start(config, model, spill, telemetry)
    devices = ", ".join(worker.device for worker in running.servicer.shop.workers)
    log.info("listening on %s, model %s on %s", config.socket_path, model.version(), devices)
    if running.port is not None:
        log.info("listening on port %d", running.port)
        print(f"token file: {config.token_path}", flush=True)  # names a folder, so not into the log
    if running.metrics is not None:
        log.info("metrics at http://127.0.0.1:%d/metrics", running.metrics.port)
    if running.page is not None:
        print(running.page.address, flush=True)  # its path is a secret, so not into the log
    watches = [
        asyncio.create_task(_leave_when_idle(config.idle_exit_s, running, told)),
        asyncio.create_task(_leave_when_lost(config, told)),
    ]
    await told.wait()
    for watch in watches:
        watch.cancel()
    windows = running.servicer.activity.windows
    log.info("leaving; %d windows under way have %g s to finish", windows, config.drain_s)
    await running.stop(config.drain_s, hurry)
    log.info("left")


def _hear(told: asyncio.Event, hurry: asyncio.Event) -> None:
    """A signal to leave; a second one means at once, as when somebody sits at the terminal."""
    if told.is_set():
        log.warning("told again to leave: not waiting for windows any longer; their clients are told to come back")
        hurry.set()
    told.set()


async def _leave_when_lost(config: ServiceConfig, told: asyncio.Event) -> None:
    if config.listen is not None and config.parent is None:
        return  # it has another door, and was started by hand
    log.warning("leaving: %s", await leave_when_lost(config.socket_path, config.parent))
    told.set()


async def _leave_when_idle(idle_exit_s: float | None, running: RunningService, told: asyncio.Event) -> None:
    if idle_exit_s is None:
        return
    while running.servicer.activity.idle_s < idle_exit_s:
        await asyncio.sleep(idle_exit_s / IDLE_CHECKS)
    log.info("idle for %g s", idle_exit_s)
    told.set()
