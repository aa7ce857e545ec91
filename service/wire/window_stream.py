"""④ ⑩ The messages of one ConvertWindow call, in both directions; who neither sends nor reads for long is dropped."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc.aio
from stereoconvert.v1 import stereo_convert_pb2

from model.errors import InvalidInputError
from service.errors import StalledError
from service.wire.message_reader import next_message
from service.wire.slot_pool import SlotPool

Request = stereo_convert_pb2.ConvertWindowRequest
Response = stereo_convert_pb2.ConvertWindowResponse


class WindowStream:
    """The order is the proto's: a header, then frames, then released slots until the client has said all."""

    def __init__(self, context: grpc.aio.ServicerContext, stall_s: float) -> None:
        """`stall_s`: how long one message may take, either way."""
        self._context = context
        self._stall_s = stall_s

    async def read(self) -> Request | None:
        """The next message; None when the client has said all. Raises StalledError."""
        try:
            async with asyncio.timeout(self._stall_s):
                return await next_message(self._context)
        except TimeoutError:
            raise StalledError(f"nothing came from the client for {self._stall_s:g} s") from None

    async def header(self) -> stereo_convert_pb2.WindowHeader:
        """The first message. Raises InvalidInputError when it is another one, StalledError."""
        message = await self.read()
        kind = message.WhichOneof("message") if message is not None else "the end of the stream"
        if message is None or kind != "header":
            raise InvalidInputError(f"the first message must be `header`; got {kind or 'an empty one'}")
        return message.header

    async def give_back(self, slots: SlotPool) -> None:
        """Take released slots back into the pool until the client has said all, however long that takes.

        Raises InvalidInputError for any other message, or for a slot that was not lent.
        """
        while (message := await next_message(self._context)) is not None:
            if message.WhichOneof("message") != "release_slot":
                raise InvalidInputError("only release_slot for an output slot may follow the frames")
            slots.release(message.release_slot)
        slots.end()

    async def send(self, **message: Any) -> None:
        """Write a ConvertWindowResponse with this field set. Raises StalledError when the client does not read."""
        try:
            async with asyncio.timeout(self._stall_s):
                await self._context.write(Response(**message))
        except TimeoutError:
            raise StalledError(f"the client read nothing for {self._stall_s:g} s") from None
