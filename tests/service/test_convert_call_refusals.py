"""ConvertWindow refuses what is malformed, in our words, and serves the others."""

from __future__ import annotations

import re
import threading

import grpc
import numpy as np
import pytest

from model.errors import DeviceMemoryError, InvalidInputError, WeightsError
from model.settings import Settings
from service.client import Request, ServiceClient
from service.wire.frame_wire import FrameFormat
from tests.service.window_calls import F32, ByStore, cancel, chunk, status, talk

BAD_STREAMS = {
    "nothing": (lambda h, k: [], "the first message must be `header`; got the end of the stream"),
    "empty message": (lambda h, k: [Request()], "must be `header`; got an empty one"),
    "chunk first": (lambda h, k: [Request(chunk={"data": b"x"})], "must be `header`; got chunk"),
    "truncated": (lambda h, k: [h, chunk(k, 0, 40)], "the stream ended after 40 of the 48 bytes"),
    "no chunks": (lambda h, k: [h], "the stream ended after 0 of the 48 bytes"),
    "two headers": (lambda h, k: [h, h], "expected `chunk` messages"),
    "out of order": (lambda h, k: [h, chunk(k, 8, 40)], "offset_bytes is 8; 0 is due"),
    "gap": (lambda h, k: [h, chunk(k, 0, 8), chunk(k, 16, 8)], "offset_bytes is 16; 8 is due"),
    "too long": (lambda h, k: [h, chunk(k, 0, 49)], r"has 49 bytes; it must have 1..48 here"),
    "second too long": (lambda h, k: [h, chunk(k, 0, 40), chunk(k, 40, 9)], r"has 9 bytes; it must have 1..8 here"),
    "empty chunk": (lambda h, k: [h, chunk(k, 0, 0)], r"has 0 bytes; it must have 1..48"),
    "other frame": (lambda h, k: [h, chunk(bytes(16), 0, 48)], "content_key is not that of the frame due"),
    "huge offset": (lambda h, k: [h, chunk(k, 2**64 - 1, 1)], "offset_bytes is 18446744073709551615; 0 is due"),
}


@pytest.mark.parametrize("name", BAD_STREAMS)
def test_a_malformed_stream_is_refused_and_others_are_served(service, client, small, make_frames, name, eventually):
    frames = make_frames(small, 1)
    header = client.header(frames, small)
    requests, text = BAD_STREAMS[name]
    code, message = status(lambda: talk(client, *requests(Request(header=header), header.frames[0].content_key)))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert re.search(text, message)
    eventually(service.is_at_rest)
    assert len(client.convert(client.header(frames, small), frames).frames) == 1


@pytest.mark.parametrize(("version", "side"), [(1002, "service"), (2000, "service"), (999, "plugin")])
def test_a_client_of_another_version_is_told_which_side_to_update(client, small, make_frames, version, side):
    frames = make_frames(small, 1)
    header = client.header(frames, small)
    header.contract_version = version
    code, message = status(lambda: client.convert(header, frames))
    assert (code, f"update the {side}" in message) == (grpc.StatusCode.FAILED_PRECONDITION, True)


def test_a_key_that_names_two_sizes_is_refused(client, small, make_frames):
    frames = make_frames(small, 1)
    client.convert(client.header(frames, small), frames)
    liar = client.header(frames, small)
    liar.frames[0].format.height = 2
    code, message = status(lambda: client.convert(liar, frames))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "32 bytes now and one of 48 before" in message


def test_chunks_after_the_frames_are_refused(service, client, small, make_frames):
    frames = make_frames(small, 1)
    header = client.header(frames, small)
    key = header.frames[0].content_key
    service.model.gate.clear()
    code, message = status(lambda: talk(client, Request(header=header), chunk(key, 0, 48), chunk(key, 0, 48)))
    assert (code, "only release_slot" in message) == (grpc.StatusCode.INVALID_ARGUMENT, True)


def test_releasing_a_slot_that_was_not_lent_is_refused(service, client, make_frames):
    frames = make_frames(F32, 1)
    way = ByStore(client, F32, 1, outputs=1)
    header = way.header(frames, F32, Settings())
    service.model.gate.clear()
    release = Request(release_slot=header.output_slots[0])
    code, message = status(lambda: talk(client, Request(header=header), release))
    assert (code, "no slot that holds a result" in message) == (grpc.StatusCode.INVALID_ARGUMENT, True)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (WeightsError("lite is damaged"), grpc.StatusCode.FAILED_PRECONDITION),
        (DeviceMemoryError("too large"), grpc.StatusCode.RESOURCE_EXHAUSTED),
        (InvalidInputError("no such estimator"), grpc.StatusCode.INVALID_ARGUMENT),
    ],
)
def test_what_the_model_raises_reaches_the_client_by_code_and_text(service, client, small, make_frames, error, code):
    service.model.error = error
    frames = make_frames(small, 1)
    assert status(lambda: client.convert(client.header(frames, small), frames)) == (code, str(error))


def test_a_bug_is_internal_and_its_text_stays_in_the_log(service, client, small, make_frames):
    service.model.error = KeyError("/secret/path")
    frames = make_frames(small, 1)
    code, message = status(lambda: client.convert(client.header(frames, small), frames))
    assert code is grpc.StatusCode.INTERNAL
    assert "secret" not in message and "KeyError" in message
    service.model.error = None
    client.convert(client.header(frames, small), frames)


def test_two_windows_may_not_share_a_request_id(service, client, small, make_frames, eventually):
    frames = make_frames(small, 1)
    header = client.header(frames, small)
    first = client.stub.ConvertWindow(iter([Request(header=header)]))
    next(first)
    service.model.gate.clear()
    held = threading.Thread(target=lambda: status(lambda: client.convert(header, frames)))
    first.cancel()
    eventually(service.is_at_rest)
    held.start()
    assert service.model.running.wait(60)
    code, message = status(lambda: client.convert(header, frames))
    assert (code, "request_id" in message) == (grpc.StatusCode.INVALID_ARGUMENT, True)
    cancel(client, header.request_id)
    held.join(60)


def test_a_message_above_the_chunk_limit_is_refused(start_service, make_frames):
    service = start_service(limits={"max_chunk_bytes": 1024})
    frame_format = FrameFormat(64, 64, np.dtype("u1"), 4)
    frames = make_frames(frame_format, 1)
    with ServiceClient(service.target) as client:
        code, message = status(lambda: client.convert(client.header(frames, frame_format), frames))
    assert (code, "it must have 1..1024" in message) == (grpc.StatusCode.INVALID_ARGUMENT, True)
