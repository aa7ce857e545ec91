"""A window that has ended holds no pixels: nothing of it waits for Python's collector of cycles."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest

from model.errors import DeviceMemoryError, InvalidInputError
from service.client import Request, ServiceClient
from service.wire.frame_receiver import FrameReceiver
from tests.service.conftest import FakeModel
from tests.service.window_calls import cancel, chunk, status, talk

ROOMLESS = {"cache_bytes": 1, "result_cache_bytes": 0}
"""So that nothing is held that may be."""


@dataclass
class WatchedModel(FakeModel):
    """Remembers windows and results only as long as somebody else does."""

    seen: list[weakref.ref] = field(default_factory=list)

    def convert(self, window, device, progress) -> Any:
        self.seen.append(weakref.ref(window.frames.base))
        try:
            output = super().convert(window, device, progress)
        finally:
            self.windows.clear()
        self.seen.append(weakref.ref(output.images))
        return output

    def are_forgotten(self) -> bool:
        return bool(self.seen) and all(reference() is None for reference in self.seen)


@pytest.fixture
def without_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def watched(start_service, without_collector):
    return start_service(limits=ROOMLESS, model=WatchedModel())


@pytest.fixture
def client(watched) -> Iterator[ServiceClient]:
    with ServiceClient(watched.target) as connected:
        yield connected


def test_a_finished_window_holds_no_pixels(watched, client, small, make_frames, eventually):
    frames = make_frames(small, 2)
    assert len(client.convert(client.header(frames, small, wanted=[0, 1]), frames).frames) == 2
    eventually(watched.model.are_forgotten)
    assert len(watched.model.seen) == 2


def chained() -> Exception:
    error = DeviceMemoryError("too large")
    error.__cause__ = MemoryError()
    return error


@pytest.mark.parametrize("error", [InvalidInputError("no"), ValueError("a bug"), chained()], ids=repr)
def test_a_failed_window_holds_no_pixels(watched, client, small, make_frames, eventually, error):
    watched.model.error = error
    frames = make_frames(small, 1)
    code, _ = status(lambda: client.convert(client.header(frames, small), frames))
    assert code is not grpc.StatusCode.OK
    watched.model.error = None
    eventually(watched.model.are_forgotten)


def test_a_cancelled_window_holds_no_pixels(watched, client, small, make_frames, eventually):
    watched.model.gate.clear()
    frames = make_frames(small, 1)
    header = client.header(frames, small)
    call = threading.Thread(target=lambda: status(lambda: client.convert(header, frames)))
    call.start()
    assert watched.model.running.wait(60)
    assert cancel(client, header.request_id)
    call.join(60)
    eventually(watched.model.are_forgotten)


def test_a_window_whose_client_breaks_the_rules_holds_no_frames(
    watched, client, small, make_frames, eventually, monkeypatch
):
    frames_seen = []
    receive = FrameReceiver.receive

    async def watched_receive(receiver, read) -> dict:
        received = await receive(receiver, read)
        frames_seen.extend(weakref.ref(frame) for frame in received.values())
        return received

    monkeypatch.setattr(FrameReceiver, "receive", watched_receive)
    watched.model.gate.clear()
    (frame,) = make_frames(small, 1)
    header = client.header([frame], small)
    key = header.frames[0].content_key
    code, _ = status(lambda: talk(client, Request(header=header), chunk(key, 0, 48), chunk(key, 0, 48)))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    eventually(lambda: len(frames_seen) == 1 and frames_seen[0]() is None)
