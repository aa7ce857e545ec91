"""`python -m service describe`: what a running service says about itself."""

from __future__ import annotations

import grpc

from service.access.auth import read_token
from service.access.tls import TlsFiles, client_credentials
from service.client import ServiceClient
from service.config import ServiceConfig
from service.errors import ServiceUnreachableError

TLS_SCHEME = "tls://"
HOW_TO_START = "start one with `python -m service serve`"


def describe(address: str | None, config: ServiceConfig, tls: TlsFiles = TlsFiles()) -> int:  # noqa: B008 - frozen
    """Print the answer of the service at `address`; None: the local one.

    address  "unix:PATH", "HOST:PORT" on loopback, "tls://HOST:PORT" anywhere
    tls      whom to believe there, and what to show

    Raises ServiceUnreachableError when nobody answers or the token is refused.
    """
    target = address or f"unix:{config.socket_path}"
    token = None if target.startswith("unix:") else read_token(config.token_path)
    credentials = client_credentials(tls) if target.startswith(TLS_SCHEME) else None
    try:
        with ServiceClient(target.removeprefix(TLS_SCHEME), token, credentials) as client:
            answer = client.describe()
    except grpc.RpcError as error:
        raise ServiceUnreachableError(_reason(target, error)) from None
    major, minor = divmod(answer.contract_version, 1000)
    print(f"service {answer.service_version} at {target}, contract {major}.{minor}, up {answer.uptime_s:.0f} s")
    print(f"model   {answer.model_version}")
    for device in answer.devices:
        memory = f", {device.memory_bytes / 2**30:.0f} GiB" if device.memory_bytes else ""
        print(
            f"device  {device.name}: {device.description or 'not loaded yet'}{memory}, {device.queued_windows} queued"
        )
    for kind, entries in (("fill   ", answer.inpainters), ("depth  ", answer.depth_estimators)):
        for entry in entries:
            state = "" if entry.available else " NOT AVAILABLE"
            print(f"{kind} {entry.name} ({entry.license}){state}: {entry.detail}")
    limits = answer.limits
    print(
        f"limits  {limits.max_width} x {limits.max_height} px, {limits.max_window} frames and "
        f"{limits.max_window_bytes / 2**30:g} GiB a window, {limits.max_queued_windows} windows queued"
    )
    return 0


def _reason(target: str, error: grpc.RpcError) -> str:
    assert isinstance(error, grpc.Call)
    if error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
        hint = (
            "see that it runs, and that certificates are valid on both sides" if TLS_SCHEME in target else HOW_TO_START
        )
        return f"no service answers at {target}; {hint}"
    return f"the service at {target} refused: {error.details()}"
