"""What the service adds to the tree of `model.errors`, and the one table from errors to gRPC codes.

StereoError
├── StoreNotFoundError     LookupError: no such frame store here
├── QueueFullError         RuntimeError: too many windows; carries a hint when to come back
├── StoresFullError        RuntimeError: too many frame stores
├── ContractSkewError      RuntimeError: plugin and service of versions that do not fit
├── DrainingError          RuntimeError: the service is leaving
├── WorkersLostError       RuntimeError: the workers of a cluster died with a window
├── StalledError           TimeoutError: the client stopped sending or reading
├── CannotListenError      OSError: the socket or port of the service is taken or forbidden
├── ServiceUnreachableError  ConnectionError: (client side) nobody answers
└── Cancelled
    └── DeadlinePassedError   the caller's deadline went by
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from traceback import clear_frames
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import DecodeError
from grpc import StatusCode

from model.errors import Cancelled, DeviceMemoryError, InvalidInputError, StereoError, WeightsError
from service.access.redaction import without_folders

log = logging.getLogger(__name__)

Behaviour = Callable[..., Awaitable[Any]]
"""What serves one call: (request, context)."""

OUR_METHODS = "/stereoconvert.v1."
RETRY_AFTER_KEY = "retry-after-ms"


class StoreNotFoundError(StereoError, LookupError):
    """No such frame store on this machine, or its stream has ended."""


class QueueFullError(StereoError, RuntimeError):
    """Too many windows wait for a device."""

    def __init__(self, message: str, retry_after_ms: int) -> None:
        super().__init__(message)
        self.retry_after_ms = retry_after_ms


class StoresFullError(StereoError, RuntimeError):
    """Too many frame stores are shared with this service."""


class ContractSkewError(StereoError, RuntimeError):
    """Plugin and service speak versions of the contract that do not fit."""


class DrainingError(StereoError, RuntimeError):
    """The service is leaving and takes no new work."""


class WorkersLostError(StereoError, RuntimeError):
    """The workers of a cluster died with a window."""


class StalledError(StereoError, TimeoutError):
    """The client stopped sending or reading."""


class CannotListenError(StereoError, OSError):
    """The socket or port of the service is taken or forbidden."""


class ServiceUnreachableError(StereoError, ConnectionError):
    """Nobody answers at the address of the service."""


class DeadlinePassedError(Cancelled):
    """The caller's deadline went by."""


# The first row whose type matches wins, so a subclass stands above its base.
_CODES: tuple[tuple[type[StereoError], StatusCode], ...] = (
    (DeadlinePassedError, StatusCode.DEADLINE_EXCEEDED),
    (StalledError, StatusCode.DEADLINE_EXCEEDED),
    (Cancelled, StatusCode.CANCELLED),
    (StoreNotFoundError, StatusCode.NOT_FOUND),
    (QueueFullError, StatusCode.RESOURCE_EXHAUSTED),
    (StoresFullError, StatusCode.RESOURCE_EXHAUSTED),
    (DeviceMemoryError, StatusCode.RESOURCE_EXHAUSTED),
    (WeightsError, StatusCode.FAILED_PRECONDITION),
    (ContractSkewError, StatusCode.FAILED_PRECONDITION),
    (DrainingError, StatusCode.UNAVAILABLE),
    (WorkersLostError, StatusCode.UNAVAILABLE),
    (CannotListenError, StatusCode.UNAVAILABLE),
    (ServiceUnreachableError, StatusCode.UNAVAILABLE),
    (InvalidInputError, StatusCode.INVALID_ARGUMENT),
)


def code_of(error: Exception) -> StatusCode:
    """The gRPC code of an error; anything not in the table is a bug: INTERNAL."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), StatusCode.INTERNAL)


def forget_values(error: BaseException) -> None:
    """Free what the functions held that an error and its causes came through.

    An error and what holds it often hold each other; frames and tensors would wait for Python's collector with them.
    Where an error came from is kept for bugs alone: the log shows it of no other.
    """
    is_bug = not isinstance(error, StereoError)
    cause: BaseException | None = error
    while cause is not None:
        clear_frames(cause.__traceback__)
        if not is_bug:
            cause.__traceback__ = None
        cause = cause.__cause__ or cause.__context__


class ErrorInterceptor(grpc.aio.ServerInterceptor):
    """Turns what our methods raise into a status; the only `except Exception` of the service."""

    def __init__(self, count: Callable[[str], None] = lambda code: None) -> None:
        """`count` is told the code of each call that fails."""
        self._count = count

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """Wrap the handler of one call."""
        handler = await continuation(handler_call_details)
        if handler is None or not handler_call_details.method.startswith(OUR_METHODS):
            return handler
        return _rewrapped(handler, partial(_translating, self._count))


def _translating(
    count: Callable[[str], None], behaviour: Callable[..., Awaitable[Any]]
) -> Callable[..., Awaitable[Any]]:
    assert inspect.iscoroutinefunction(behaviour), "our methods write to their context instead of yielding"

    async def translated(request: Any, context: grpc.aio.ServicerContext) -> Any:
        try:
            return await behaviour(request, context)
        except grpc.aio.AbortError:
            raise
        except asyncio.CancelledError:  # the client is gone, or its deadline has passed; gRPC tells it
            left_s = context.time_remaining()
            count((StatusCode.CANCELLED if left_s is None or left_s > 0 else StatusCode.DEADLINE_EXCEEDED).name)
            raise
        except Exception as error:
            count(code_of(error).name)
            try:
                await _abort(context, error)
            finally:
                forget_values(error)

    return translated


async def _abort(context: grpc.aio.ServicerContext, error: Exception) -> None:
    code = code_of(error)
    if code is StatusCode.INTERNAL:
        log.exception("bug: a call failed unexpectedly", exc_info=error)
        await context.abort(code, f"bug in the service ({type(error).__name__}); report it with the service log")
    message = without_folders(str(error))
    log.info("refused: %s: %s", code.name, message)
    hint = ((RETRY_AFTER_KEY, str(error.retry_after_ms)),) if isinstance(error, QueueFullError) else ()
    await context.abort(code, message, hint)


def _rewrapped(handler: grpc.RpcMethodHandler, wrap: Callable[[Behaviour], Behaviour]) -> grpc.RpcMethodHandler:
    """The same handler around a wrapped behaviour, whichever of the four kinds it is."""
    kind = ("stream" if handler.request_streaming else "unary") + (
        "_stream" if handler.response_streaming else "_unary"
    )
    make = getattr(grpc, f"{kind}_rpc_method_handler")
    behaviour, decode = getattr(handler, kind), partial(_decoded, handler.request_deserializer)
    if handler.request_streaming:  # context.read() decodes, so what it raises reaches `wrap`
        return make(wrap(behaviour), decode, handler.response_serializer)

    async def decoding_first(request: bytes, context: grpc.aio.ServicerContext) -> Any:
        return await behaviour(decode(request), context)

    return make(wrap(decoding_first), None, handler.response_serializer)


def _decoded(deserialize: Callable[[bytes], Any] | None, data: bytes) -> Any:
    assert deserialize is not None, "the stubs say how"
    try:
        return deserialize(data)
    except DecodeError:
        raise InvalidInputError("the message is damaged, or not one of this contract; send it again") from None
