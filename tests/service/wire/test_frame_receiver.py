"""Frames that come as chunks: each asked for once, in order, and only as announced."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from model.errors import InvalidInputError
from model.settings import Settings
from service.caches.frame_cache import FrameCache
from service.client import Request, ServiceClient
from service.config import ServiceLimits
from service.wire.frame_receiver import FrameReceiver
from service.wire.frame_store import FrameStores
from service.wire.window_plan import WindowPlan, plan_window
from tests.service.window_calls import chunk

MAX_CHUNK_BYTES = 40


@pytest.fixture
def plan(small, make_frames):
    """A window of three frames, the last like the first; `client` names the session."""

    def build(client: ServiceClient, settings: Settings | None = None, **fields) -> WindowPlan:
        first, second = make_frames(small, 2)
        header = client.header([first, second, first], small, settings, wanted=[1], **fields)
        return plan_window(header, ServiceLimits(), FrameStores(1, 1 << 20))

    return build


@pytest.fixture
def client():
    with ServiceClient("unix:/nowhere") as unconnected:
        yield unconnected


@pytest.fixture
def cache():
    return FrameCache(1 << 20)


def receive(receiver: FrameReceiver, *messages: Request):
    waiting = iter(messages)

    async def read() -> Request | None:
        return next(waiting, None)

    return asyncio.run(receiver.receive(read))


def halves(receiver: FrameReceiver) -> list[Request]:
    """All that is needed, each frame of 48 bytes in two chunks."""
    return [chunk(key, *piece) for key in receiver.needed for piece in ((0, 40), (40, 8))]


def test_each_content_is_asked_for_once_and_comes_whole(plan, client, cache):
    window = plan(client)
    receiver = FrameReceiver(window, cache, MAX_CHUNK_BYTES)
    assert receiver.needed == [frame.content_key for frame in window.frames[:2]]
    received = receive(receiver, *halves(receiver))
    assert [len(received[frame.content_key]) for frame in window.frames] == [48, 48, 48]


def test_a_session_sends_a_frame_once_and_another_session_its_own(plan, client, cache):
    receiver = FrameReceiver(plan(client), cache, MAX_CHUNK_BYTES)
    receive(receiver, *halves(receiver))
    assert FrameReceiver(plan(client), cache, MAX_CHUNK_BYTES).needed == []
    with ServiceClient("unix:/nowhere") as stranger:
        assert len(FrameReceiver(plan(stranger), cache, MAX_CHUNK_BYTES).needed) == 2


def test_a_piece_that_came_already_is_refused(plan, client, cache):
    receiver = FrameReceiver(plan(client), cache, MAX_CHUNK_BYTES)
    with pytest.raises(InvalidInputError, match="offset_bytes is 0; 40 is due"):
        receive(receiver, chunk(receiver.needed[0], 0, 40), chunk(receiver.needed[0], 0, 8))


def test_one_key_for_frames_of_two_sizes_is_refused(plan, client, cache, small, make_frames):
    narrow = small.resized(2, 3)
    window = plan(client, Settings(depth_source="clip"), depth=make_frames(narrow, 3), depth_format=narrow)
    liar = replace(window.depth[0], content_key=window.frames[0].content_key)
    with pytest.raises(InvalidInputError, match="frames of two sizes"):
        FrameReceiver(replace(window, depth=(liar, *window.depth[1:])), cache, MAX_CHUNK_BYTES)
