"""The messages of a call: their order, and how long the client may be silent."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc.aio
import pytest
from stereoconvert.v1 import stereo_convert_pb2

from model.errors import InvalidInputError
from service.errors import StalledError
from service.wire.slot_pool import SlotPool
from service.wire.window_stream import Request, WindowStream

NEVER = object()
HEADER = Request(header=stereo_convert_pb2.WindowHeader(first_frame=7))


class Context:
    """Stands for gRPC's: gives these messages, then the end; `NEVER` is one that does not come."""

    def __init__(self, *messages: Any) -> None:
        self.messages = list(messages)
        self.written: list[Any] = []

    async def read(self) -> Any:
        if not self.messages:
            return grpc.aio.EOF  # pyright: ignore[reportAttributeAccessIssue]
        if self.messages[0] is NEVER:
            await asyncio.Event().wait()
        return self.messages.pop(0)

    async def write(self, message: Any) -> None:
        self.written.append(message)
        if self.messages and self.messages[0] is NEVER:
            await asyncio.Event().wait()


def stream(*messages: Any, stall_s: float = 60.0) -> WindowStream:
    return WindowStream(Context(*messages), stall_s)  # pyright: ignore[reportArgumentType]


def test_the_header_comes_first():
    assert asyncio.run(stream(HEADER).header()).first_frame == 7


@pytest.mark.parametrize(
    ("messages", "got"),
    [((), "the end of the stream"), ((Request(),), "an empty one"), ((Request(release_slot={}),), "release_slot")],
)
def test_anything_else_is_refused_by_name(messages, got):
    with pytest.raises(InvalidInputError, match=f"must be `header`; got {got}"):
        asyncio.run(stream(*messages).header())


def test_the_end_is_none():
    assert asyncio.run(stream().read()) is None


def test_who_says_nothing_or_reads_nothing_is_told_so():
    with pytest.raises(StalledError, match=r"nothing came from the client for 0\.01 s"):
        asyncio.run(stream(NEVER, stall_s=0.01).read())
    with pytest.raises(StalledError, match=r"the client read nothing for 0\.01 s"):
        asyncio.run(stream(NEVER, stall_s=0.01).send(progress={}))


def test_only_slots_may_follow_the_frames():
    with pytest.raises(InvalidInputError, match="only release_slot"):
        asyncio.run(stream(HEADER).give_back(SlotPool((), 60.0)))
