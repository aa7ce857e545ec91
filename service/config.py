"""What the service is told from outside; past this module nobody sees flags or the environment."""

from __future__ import annotations

import ipaddress
import math
import os
from dataclasses import dataclass, field
from pathlib import Path

from model.errors import InvalidInputError

MIB, GIB = 2**20, 2**30
MAX_PORT = 65535
MAX_SOCKET_PATH_BYTES = 107
"""sun_path of sockaddr_un, less its final zero (Linux; macOS has 103)."""


@dataclass(frozen=True)
class ServiceLimits:
    """Bounds on what one client, or all of them together, may ask for."""

    max_width: int = 16384  # px
    max_height: int = 16384  # px
    max_window: int = 81  # frames
    max_window_bytes: int = 4 * GIB  # pixels of all input frames of a window
    max_queued_windows: int = 32  # waiting or running, per device
    max_queued_per_session: int = 8  # of them, one session's
    max_pending_bytes: int = 16 * GIB  # pixels of all windows under way that came as chunks
    max_sessions: int = 256  # with windows in the last minute
    max_windows_per_s: float = 200.0  # one session's, over some seconds
    max_chunk_bytes: int = 2 * MIB
    max_connections: int = 1024  # at once, of each door; fewer where the system allows few open files
    max_stores: int = 64
    max_store_bytes: int = 16 * GIB  # one store
    cache_bytes: int = 2 * GIB  # frames that came as chunks, all sessions together
    depth_cache_bytes: int = 512 * MIB  # estimated depth, all sessions together; 0: none
    fill_cache_bytes: int = 256 * MIB  # pixels that fills changed, all sessions together; 0: none
    latent_cache_bytes: int = 256 * MIB  # what Wan's encoder made, all sessions together; 0: none
    result_cache_bytes: int = 1 * GIB  # converted windows, all sessions together; 0: none
    disk_cache_bytes: int = 20 * GIB  # of all these caches in `cache_dir`
    stall_s: float = 60.0  # a client that neither sends nor reads for so long is dropped

    def __post_init__(self) -> None:
        for name in ("depth_cache", "fill_cache", "latent_cache", "result_cache", "disk_cache"):
            if (size := getattr(self, f"{name}_bytes")) < 0:
                flag = "--cache-disk-mb" if name == "disk_cache" else "--" + name.replace("_", "-")
                raise InvalidInputError(f"{flag} must be 0 (off) or more; got {size // MIB} MiB")


@dataclass(frozen=True)
class ServiceConfig:
    """One running service.

    Raises InvalidInputError for an address or a number that cannot be.
    """

    runtime_dir: Path = field(default_factory=lambda: default_runtime_dir())
    socket: Path | None = None  # None: service.sock in runtime_dir
    listen: str | None = None  # "HOST:PORT", beyond loopback only with TLS; None: no TCP; port 0: any free one
    token_file: Path | None = None  # None: token in runtime_dir
    tls_certificate: Path | None = None  # PEM, for `listen`; None: no TLS
    tls_key: Path | None = None  # PEM
    tls_client_authorities: Path | None = None  # PEM; clients need a certificate signed by one of these
    idle_exit_s: float | None = None  # leave after so long without windows or streams; None: never
    unload_idle_s: float | None = 900.0  # an idle device gives the memory of its models back; None: never
    parent: int | None = None  # leave when this process, which started us, has ended; None: outlive it
    drain_s: float = 30.0  # after SIGTERM, how long running windows may take
    devices: tuple[str, ...] = ("auto",)  # "cpu", "cuda:0"; "auto": the first GPU, else the processor
    metrics_port: int | None = None  # on loopback, for Prometheus; None: no metrics; 0: any free one
    web_port: int | None = None  # on loopback, a page to look at; None: no page; 0: any free one
    cluster: str | None = None  # address of a Ray cluster ("auto": this machine's) whose workers replace `devices`
    cache_dir: Path | None = None  # what caches hold goes there, too, and outlives the process; None: memory alone
    warm_up: bool = True  # load torch and the default weights at once, in the background
    limits: ServiceLimits = ServiceLimits()

    def __post_init__(self) -> None:
        if len(os.fsencode(self.socket_path)) > MAX_SOCKET_PATH_BYTES:
            raise InvalidInputError(
                f"the socket path {self.socket_path} has more than {MAX_SOCKET_PATH_BYTES} bytes, the system's limit; "
                "choose a shorter one with --socket or STEREO_CONVERT_RUNTIME_DIR"
            )
        self._check_doors()
        for flag, seconds in (("--idle-exit", self.idle_exit_s), ("--unload-idle", self.unload_idle_s)):
            if seconds is not None and not seconds > 0:
                raise InvalidInputError(f"{flag} must be above 0 s; got {seconds:g}")
        if not 0 <= self.drain_s < math.inf:
            raise InvalidInputError(f"--drain must be 0 s or more, and end; got {self.drain_s:g}")

    def _check_doors(self) -> None:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise InvalidInputError("--tls-cert and --tls-key go together; give both or neither")
        if self.tls_client_authorities is not None and self.tls_certificate is None:
            raise InvalidInputError("--tls-client-ca needs --tls-cert and --tls-key")
        if self.tls_certificate is not None and self.listen is None:
            raise InvalidInputError("--tls-cert is for TCP; say where to listen with --listen HOST:PORT")
        for flag, port in (("--metrics-port", self.metrics_port), ("--web", self.web_port)):
            if port is not None and not 0 <= port <= MAX_PORT:
                raise InvalidInputError(f"{flag} must be 0..{MAX_PORT}; got {port}")
        if self.listen is not None and not is_loopback(self.listen) and self.tls_certificate is None:
            raise InvalidInputError(
                f"--listen {self.listen} is not a loopback address. Other machines may connect only over TLS: give "
                "--tls-cert and --tls-key, or listen on 127.0.0.1 and tunnel (ssh -L)"
            )

    @property
    def socket_path(self) -> Path:
        """Where the Unix socket lies."""
        return self.socket or self.runtime_dir / "service.sock"

    @property
    def lock_path(self) -> Path:
        """Held by the one running instance."""
        return self.socket_path.with_suffix(".lock")

    @property
    def token_path(self) -> Path:
        """Holds the bearer token for TCP."""
        return self.token_file or self.runtime_dir / "token"


def default_runtime_dir(environment: dict[str, str] | None = None) -> Path:
    """The folder of socket, lock, token and log: one per user."""
    env = os.environ if environment is None else environment
    if own := env.get("STEREO_CONVERT_RUNTIME_DIR"):
        return Path(own)
    if session := env.get("XDG_RUNTIME_DIR"):
        return Path(session) / "stereo-convert"
    return Path("/tmp") / f"stereo-convert-{os.getuid()}"


def is_loopback(address: str) -> bool:
    """Whether only this machine can reach HOST:PORT.

    Raises InvalidInputError for what is no address.
    """
    host, _, port = address.rpartition(":")
    if not (port.isascii() and port.isdigit()) or int(port) > MAX_PORT:
        raise InvalidInputError(f"--listen must be HOST:PORT, as in 127.0.0.1:7733; got {address!r}")
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
