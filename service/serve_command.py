"""`python -m service serve`: its flags, and the process that they ask for."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import platform
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from service.config import MIB, ServiceConfig, ServiceLimits

if TYPE_CHECKING:
    from service.caches.spill import Spill

Command = Callable[[], int]

SPILL_CLOSE_S = 10.0
"""How long a service that leaves still writes what its caches hold."""


def add_serve_verb(verbs: argparse._SubParsersAction) -> None:
    """Add `serve` to the command line; it sets `build`, which turns flags into a command."""
    verb = verbs.add_parser("serve", help="run the service until it is told to stop")
    _add_listening(verb.add_argument_group("where it listens"))
    _add_work(verb.add_argument_group("how it works"))
    _add_watching(verb.add_argument_group("how it is watched"))
    verb.set_defaults(build=_build_serve)


def _add_listening(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--socket", type=Path, metavar="PATH", help="Unix socket (default: service.sock in the runtime dir)")  # fmt: skip # noqa: E501
    group.add_argument("--listen", metavar="HOST:PORT", help="also listen on TCP, with the token; beyond loopback only with TLS; port 0: any")  # fmt: skip # noqa: E501
    group.add_argument("--token-file", type=Path, metavar="F", help="token for TCP, made if absent (default: runtime dir)")  # fmt: skip # noqa: E501
    group.add_argument("--tls-cert", type=Path, metavar="F", help="certificate chain for --listen, PEM")
    group.add_argument("--tls-key", type=Path, metavar="F", help="its key, PEM without passphrase, mode 600")
    group.add_argument("--tls-client-ca", type=Path, metavar="F", help="let in only clients whose certificates this authority signed")  # fmt: skip # noqa: E501


def _add_work(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--device", action="append", metavar="D", help="auto, cpu, cuda:0, ...; repeat for several (default: auto)")  # fmt: skip # noqa: E501
    group.add_argument("--cluster", metavar="ADDRESS", help="use the GPUs of a Ray cluster instead; auto: this machine's (needs the extra [cluster])")  # fmt: skip # noqa: E501
    group.add_argument("--no-warm-up", action="store_true", help="load the model with the first window, not at start")
    group.add_argument("--unload-idle", type=float, default=900.0, metavar="S", help="unload models after S seconds without work (900)")  # fmt: skip # noqa: E501
    group.add_argument("--depth-cache", type=int, default=512, metavar="MIB", help="memory for estimated depth (512; 0: off)")  # fmt: skip # noqa: E501
    group.add_argument(
        "--fill-cache", type=int, default=256, metavar="MIB", help="memory for filled pixels (256; 0: off)"
    )
    group.add_argument("--latent-cache", type=int, default=256, metavar="MIB", help="memory for what Wan's encoder makes (256; 0: off)")  # fmt: skip # noqa: E501
    group.add_argument("--result-cache", type=int, default=1024, metavar="MIB", help="memory for converted windows (1024; 0: off)")  # fmt: skip # noqa: E501
    group.add_argument("--cache-dir", type=Path, metavar="DIR", help="spill the caches there: they outlive a restart (default: memory alone)")  # fmt: skip # noqa: E501
    group.add_argument("--cache-disk-mb", type=int, default=20480, metavar="MIB", help="most that DIR may hold (20480)")
    group.add_argument("--idle-exit", type=float, metavar="S", help="leave after S seconds without work (default: never)")  # fmt: skip # noqa: E501
    group.add_argument("--exit-with-parent", action="store_true", help="leave when the process that started it ends")
    group.add_argument("--drain", type=float, default=30.0, metavar="S", help="at SIGTERM, seconds for running windows (30)")  # fmt: skip # noqa: E501


def _add_watching(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--log-level", default="info", choices=("debug", "info", "warning", "error"))
    group.add_argument("--log-format", default="text", choices=("text", "json"))
    group.add_argument("--log-file", type=Path, metavar="F", help="write the log here (default: stderr)")
    group.add_argument("--metrics-port", type=int, metavar="N", help="show metrics to Prometheus on 127.0.0.1:N (default: off; 0: any)")  # fmt: skip # noqa: E501
    group.add_argument("--web", type=int, nargs="?", const=0, metavar="N", help="a page with queue, speed and last frames on 127.0.0.1:N; prints its address (default: off; N: any)")  # fmt: skip # noqa: E501


def _build_serve(flags: argparse.Namespace) -> Command:
    config = ServiceConfig(
        socket=flags.socket,
        listen=flags.listen,
        token_file=flags.token_file,
        tls_certificate=flags.tls_cert,
        tls_key=flags.tls_key,
        tls_client_authorities=flags.tls_client_ca,
        idle_exit_s=flags.idle_exit,
        parent=os.getppid() if flags.exit_with_parent else None,
        unload_idle_s=flags.unload_idle,
        drain_s=flags.drain,
        devices=tuple(flags.device or ("auto",)),
        metrics_port=flags.metrics_port,
        web_port=flags.web,
        cluster=flags.cluster,
        warm_up=not flags.no_warm_up,
        cache_dir=flags.cache_dir,
        limits=ServiceLimits(
            depth_cache_bytes=flags.depth_cache * MIB,
            fill_cache_bytes=flags.fill_cache * MIB,
            latent_cache_bytes=flags.latent_cache * MIB,
            result_cache_bytes=flags.result_cache * MIB,
            disk_cache_bytes=flags.cache_disk_mb * MIB,
        ),
    )
    return partial(_serve_and_end, config, flags.log_level, flags.log_file, flags.log_format)


def _serve_and_end(config: ServiceConfig, log_level: str, log_file: Path | None, log_format: str) -> int:
    """Serve, and end the process here if a window is still being computed.

    Its thread would find Python gone when it comes back out of torch, and the process would abort instead of ending.
    """
    from service.devices.gpu_worker import is_computing

    with _stderr_of_grpc(config):
        code = _serve(config, log_level, log_file, log_format)
    if is_computing():
        logging.shutdown()
        sys.stdout.flush()
        os._exit(code)
    return code


def _serve(config: ServiceConfig, log_level: str, log_file: Path | None, log_format: str) -> int:
    from service.caches.model_caches import CacheSizes
    from service.chosen_model import chosen_model
    from service.models.model_version import model_version
    from service.orphan import end_with_parent
    from service.serve import serve
    from service.watching.logs import set_up_logs
    from service.watching.telemetry import telemetry_of

    set_up_logs(log_level, log_file, log_format)
    if config.parent is not None:
        end_with_parent()
    limits = config.limits
    sizes = CacheSizes(limits.depth_cache_bytes, limits.fill_cache_bytes, limits.latent_cache_bytes)
    with (
        _spill(config.cache_dir, limits.disk_cache_bytes, model_version) as spill,
        closing(telemetry_of(os.environ)) as telemetry,
        chosen_model(config.cluster, sizes, spill) as model,
    ):
        return asyncio.run(serve(config, model, spill, telemetry))


@contextmanager
def _stderr_of_grpc(config: ServiceConfig) -> Iterator[None]:
    """Over TLS, who failed to shake hands stands in the log like any other who was refused."""
    if config.tls_certificate is None:
        yield
        return
    from service.watching.grpc_words import GrpcWords

    with closing(GrpcWords()):
        yield


@contextmanager
def _spill(folder: Path | None, max_bytes: int, version: Callable[[], str]) -> Iterator[Spill | None]:
    """What the caches hold on disk. Another machine may compute other bits, so its entries are not ours."""
    if folder is None:
        yield None
        return
    from service.caches.disk_store import DiskStore
    from service.caches.spill import Spill

    spill = Spill(DiskStore(folder, max_bytes), f"{version()} on {platform.node()}")
    try:
        yield spill
    finally:
        spill.close(SPILL_CLOSE_S)
