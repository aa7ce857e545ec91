"""ConvertWindow stops in good order: full queue, stalled client, deadline, hang-up, cancel."""

from __future__ import annotations

import re
import threading
import time

import grpc
import pytest
from stereoconvert.v1 import frame_pb2

from service.client import Request, ServiceClient
from service.wire.slot_pool import SlotPool
from tests.service.window_calls import F32, LEFT, ByStore, cancel, chunk, status, talk


def test_a_full_queue_says_when_to_come_back(start_service, small, make_frames, eventually):
    service = start_service(limits={"max_queued_windows": 1})
    service.model.gate.clear()
    frames = make_frames(small, 1)
    with ServiceClient(service.target) as client:
        first = threading.Thread(target=client.convert, args=(client.header(frames, small), frames))
        first.start()
        assert service.model.running.wait(60)
        with pytest.raises(grpc.RpcError) as refused:  # at once: no frame was asked for, let alone sent
            next(client.stub.ConvertWindow(iter([Request(header=client.header([bytes(48)], small))]), timeout=60))
        service.model.gate.set()
        first.join()
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert re.search(r"retry-after-ms', value='[1-9]", str(refused.value.trailing_metadata()))


def test_a_client_that_stops_sending_is_dropped(start_service, small, make_frames, eventually):
    service = start_service(limits={"stall_s": 1.0})  # long enough for the header on a machine that is busy
    frames = make_frames(small, 1)
    with ServiceClient(service.target) as client:
        silent = threading.Event()

        def requests():
            yield Request(header=client.header(frames, small))
            silent.wait(60)

        code, message = status(lambda: list(client.stub.ConvertWindow(requests(), timeout=60)))
        silent.set()
    assert (code, message) == (grpc.StatusCode.DEADLINE_EXCEEDED, "nothing came from the client for 1 s")
    eventually(service.is_at_rest)


def test_a_client_that_never_gives_its_slot_back_is_dropped(service, client, make_frames, monkeypatch):
    monkeypatch.setattr("service.convert_call.SlotPool", lambda slots, stall_s: SlotPool(slots, 0.1))
    frames = make_frames(F32, 2)
    way = ByStore(client, F32, 2, outputs=1)
    header = way.header(frames, F32, LEFT, wanted=[0, 1])
    silent = threading.Event()

    def requests():
        yield Request(header=header)
        silent.wait(60)

    code, message = status(lambda: list(client.stub.ConvertWindow(requests(), timeout=60)))
    silent.set()
    assert (code, message) == (grpc.StatusCode.DEADLINE_EXCEEDED, "no output slot came back by release_slot for 0.1 s")


def test_a_client_that_can_no_longer_give_its_slot_back_is_not_waited_for(service, client, make_frames):
    frames = make_frames(F32, 2)
    way = ByStore(client, F32, 2, outputs=1)
    header = way.header(frames, F32, LEFT, wanted=[0, 1])
    code, message = status(lambda: talk(client, Request(header=header)))  # which ends the stream at once
    assert (code, "the stream ended" in message) == (grpc.StatusCode.INVALID_ARGUMENT, True)


@pytest.mark.parametrize("jump_s", [-1e6, 1e6])
def test_a_jump_of_the_wall_clock_ends_no_window(service, client, small, make_frames, monkeypatch, jump_s):
    (frame,) = make_frames(small, 1)
    header = client.header([frame], small)
    jumped, wall_s = threading.Event(), time.time

    def requests():
        yield Request(header=header)
        jumped.wait(60)
        yield Request(chunk=frame_pb2.FrameChunk(content_key=header.frames[0].content_key, data=frame))

    answers = client.stub.ConvertWindow(requests(), timeout=60)
    next(answers)  # the service asks for the frame: the call is under way
    with monkeypatch.context() as clock:
        clock.setattr(time, "time", lambda: wall_s() + jump_s)
        jumped.set()
        kinds = [answer.WhichOneof("message") for answer in answers]
    assert kinds[-1] == "summary"


def test_the_clients_deadline_stops_the_work(service, client, small, make_frames, eventually):
    service.model.gate.clear()
    frames = make_frames(small, 1)
    code, _ = status(lambda: client.convert(client.header(frames, small), frames, timeout_s=0.2))
    assert code is grpc.StatusCode.DEADLINE_EXCEEDED
    eventually(service.is_at_rest)


def test_hanging_up_stops_the_work(service, client, small, make_frames, eventually):
    service.model.gate.clear()
    frames = make_frames(small, 1)
    header = client.header(frames, small)
    answers = client.stub.ConvertWindow(iter([Request(header=header), chunk(header.frames[0].content_key, 0, 48)]))
    assert service.model.running.wait(60)
    answers.cancel()
    eventually(service.is_at_rest)


@pytest.mark.parametrize("stage", ["running", "sending"])
def test_cancel_window_stops_a_window(service, client, small, make_frames, eventually, stage):
    service.model.gate.clear()
    frames = make_frames(small, 1)
    header = client.header(frames, small)
    seen, silent = [], threading.Event()

    def requests():
        yield Request(header=header)
        if stage == "running":
            yield chunk(header.frames[0].content_key, 0, 48)
        silent.wait(60)

    def convert():
        seen.append(status(lambda: list(client.stub.ConvertWindow(requests(), timeout=60))))

    thread = threading.Thread(target=convert)
    thread.start()
    eventually(lambda: header.request_id in service.shop.calls)
    if stage == "running":
        assert service.model.running.wait(60)
    assert cancel(client, header.request_id)
    thread.join(60)
    silent.set()
    assert seen == [(grpc.StatusCode.CANCELLED, "the window was cancelled")]
    eventually(service.is_at_rest)


def test_cancelling_an_unknown_window_is_fine(client):
    assert not cancel(client, bytes(16))
    code, _ = status(lambda: cancel(client, b"short"))
    assert code is grpc.StatusCode.INVALID_ARGUMENT


def test_a_window_that_found_no_memory_is_tried_again_with_room(service, client, small, make_frames):
    frames = make_frames(small, 1)
    client.convert(client.header(frames, small), frames)
    assert service.shop.cache.used_bytes > 0
    service.model.errors = [MemoryError()]
    window = client.convert(client.header(make_frames(small, 2), small, wanted=[0, 1]), make_frames(small, 2))
    assert (len(window.frames), service.model.unloaded, service.shop.cache.used_bytes) == (2, ["cpu"], 0)


def test_an_idle_device_gives_its_memory_back(start_service, small, make_frames, eventually):
    service = start_service(unload_idle_s=0.05)
    frames = make_frames(small, 1)
    with ServiceClient(service.target) as client:
        client.convert(client.header(frames, small), frames)
        eventually(lambda: service.model.unloaded == ["cpu"])
        assert len(client.convert(client.header(frames, small), frames).frames) == 1


def test_a_session_that_asks_too_often_is_told_when_to_come_back(start_service, small, make_frames):
    service = start_service(limits={"max_windows_per_s": 0.2})
    frames = make_frames(small, 1)
    with ServiceClient(service.target) as client:
        client.convert(client.header(frames, small, LEFT), frames)
        with pytest.raises(grpc.RpcError) as refused:
            client.convert(client.header(frames, small, LEFT), frames)
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert re.search(r"retry-after-ms', value='[1-9]", str(refused.value.trailing_metadata()))
