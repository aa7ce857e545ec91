"""A read that has begun is never cancelled: gRPC would keep some of it for ever."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc.aio
import pytest

from service.wire.message_reader import next_message


class Stream:
    """Stands for a call's context; its one read ends when the test says so."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.ended = asyncio.Event()

    async def read(self) -> Any:
        try:
            return await self.answer
        finally:
            self.ended.set()


def read_when(then: Any) -> Any:
    """What next_message returns when the read ends like this."""

    async def run() -> Any:
        stream = Stream()
        reading = asyncio.create_task(next_message(stream))  # pyright: ignore[reportArgumentType]
        await asyncio.sleep(0)
        if isinstance(then, Exception):
            stream.answer.set_exception(then)
        else:
            stream.answer.set_result(then)
        return await reading

    return asyncio.run(run())


def test_a_message_is_passed_on():
    assert read_when(b"message") == b"message"


def test_the_end_of_the_stream_and_of_the_call_are_none():
    assert read_when(grpc.aio.EOF) is None  # pyright: ignore[reportAttributeAccessIssue]
    assert read_when(grpc.aio.UsageError("RPC already finished.")) is None
    assert read_when(grpc.aio.AbortError("Locally aborted.")) is None


def test_another_error_is_passed_on():
    with pytest.raises(ValueError, match="broken"):
        read_when(ValueError("broken"))


def test_who_waits_may_be_cancelled_while_the_read_goes_on():
    async def run() -> None:
        stream = Stream()
        reading = asyncio.create_task(next_message(stream))  # pyright: ignore[reportArgumentType]
        while not stream.answer._callbacks:  # until the read waits for its answer
            await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert not stream.answer.cancelled()
        stream.answer.set_exception(grpc.aio.UsageError("RPC already finished."))
        await stream.ended.wait()

    asyncio.run(run())
