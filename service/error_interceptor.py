"""Turns what our methods raise into what the client is told: a gRPC status, a message without folders, a retry hint."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import DecodeError
from grpc import StatusCode

from model.errors import InvalidInputError
from service.access.redaction import without_folders
from service.errors import QueueFullError, code_of, forget_values

log = logging.getLogger(__name__)

Behaviour = Callable[..., Awaitable[Any]]
"""What serves one call: (request, context)."""

OUR_METHODS = "/stereoconvert.v1."
RETRY_AFTER_KEY = "retry-after-ms"


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


def _translating(count: Callable[[str], None], behaviour: Behaviour) -> Behaviour:
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
