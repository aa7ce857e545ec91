"""The bearer token of TCP connections. A Unix socket needs none: its file mode guards it."""

from __future__ import annotations

import hmac
import logging
import os
import secrets
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import grpc.aio

from model.errors import InvalidInputError

log = logging.getLogger(__name__)

TOKEN_BYTES = 32
METADATA_KEY = "authorization"
_REFUSAL = (
    'this port needs the metadata "authorization: Bearer TOKEN" with the token of the service; '
    "give the effect (or --token-file) the token file that the service printed when it started"
)


def load_or_create_token(path: Path) -> str:
    """Read the token, or make one in a new file of mode 0600.

    Raises InvalidInputError when others may read the file, it holds no token, or none can be made there.
    """
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return read_token(path)
    except OSError as error:
        raise InvalidInputError(f"cannot make the token file {path} ({error.strerror}); choose another") from None
    token = secrets.token_hex(TOKEN_BYTES)
    with os.fdopen(fd, "w") as file:
        file.write(token + "\n")
    return token


def read_token(path: Path) -> str:
    """Read a token file.

    Raises InvalidInputError when it is missing, open to others, or empty.
    """
    try:
        found = path.stat()
        token = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"cannot read the token file {path}: {error}") from None
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise InvalidInputError(f"others may read the token file {path}; run: chmod 600 {path}")
    if not token.isascii() or len(token) < 16 or not token.isprintable():
        raise InvalidInputError(f"the token file {path} holds no token: one line of 16 or more ASCII characters")
    return token


class TokenInterceptor(grpc.aio.ServerInterceptor):
    """Refuses calls without the token, before anything of theirs is read."""

    def __init__(self, token: str, count: Callable[[str], None] = lambda code: None) -> None:
        """`count` is told the code of each call that is refused."""
        self._count = count
        self._expected = f"Bearer {token}".encode()

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """Let the call through or answer UNAUTHENTICATED."""
        came = dict(handler_call_details.invocation_metadata or ()).get(METADATA_KEY, "")
        if hmac.compare_digest(came.encode() if isinstance(came, str) else bytes(came), self._expected):
            return await continuation(handler_call_details)
        self._count(grpc.StatusCode.UNAUTHENTICATED.name)
        return grpc.stream_stream_rpc_method_handler(_refuse)


async def _refuse(request: Any, context: grpc.aio.ServicerContext) -> None:
    log.warning("refused: a call from %s without the token", context.peer())
    await context.abort(grpc.StatusCode.UNAUTHENTICATED, _REFUSAL)
