"""ConvertWindow over a real socket, with a model that halves."""

from __future__ import annotations

import re
import threading
import time

import grpc
import numpy as np
import pytest
from stereoconvert.v1 import frame_pb2, stereo_convert_pb2

from model.errors import DeviceMemoryError, InvalidInputError, WeightsError
from model.settings import Settings
from service.client import Request, ServiceClient, SharedStore, content_key, slot_offsets
from service.frame_wire import FrameFormat, format_to_wire

F32 = FrameFormat(5, 4, np.dtype("<f4"), 4, bottom_up=True)
LEFT = Settings(output="left")


def halved(frame: bytes) -> bytes:
    return (np.frombuffer(frame, "<f4") * np.float32(0.5)).tobytes()


def status(call) -> tuple[grpc.StatusCode, str]:
    """Code and message with which a call fails."""
    with pytest.raises(grpc.RpcError) as caught:
        call()
    assert isinstance(caught.value, grpc.Call)
    return caught.value.code(), caught.value.details() or ""


def talk(client: ServiceClient, *requests) -> list:
    """Send these messages, end the stream, and return the answers."""
    return list(client.stub.ConvertWindow(iter(requests), timeout=10))


class ByStore:
    """Converts windows through shared memory with fewer output slots than results."""

    def __init__(self, client: ServiceClient, frame_format: FrameFormat, frames: int, outputs: int = 2) -> None:
        self.client = client
        self.size = frame_format.frame_bytes
        self.offsets, store_bytes = slot_offsets(frames + outputs, self.size)
        self.store = SharedStore(client.stub, store_bytes)
        self.outputs = outputs

    def header(self, frames, frame_format, settings, **fields):
        header = self.client.header(frames, frame_format, settings, **fields)
        for reference, frame, offset in zip(header.frames, frames, self.offsets, strict=False):
            location = self.store.location(offset, self.size)
            self.store.slot(location)[:] = np.frombuffer(frame, np.uint8)
            reference.location.CopyFrom(location)
        header.output_slots.extend(self.store.location(at, self.size) for at in self.offsets[-self.outputs :])
        return header

    def convert(self, frames, frame_format, settings, **fields) -> dict[int, bytes]:
        results = {}

        def read(result):
            results[result.index] = self.store.slot(result.location).tobytes()

        self.client.convert(self.header(frames, frame_format, settings, **fields), read=read)
        return results


def test_chunks_bring_back_what_the_model_made(client, make_frames):
    frames = make_frames(F32, 5)
    window = client.convert(client.header(frames, F32, wanted=[4, 0]), frames)
    assert window.format == F32
    assert {index: bytes(pixels) for index, pixels in window.frames.items()} == {
        4: halved(frames[4]),
        0: halved(frames[0]),
    }
    assert list(window.frames) == [4, 0], "most urgent first"


@pytest.mark.parametrize("settings", [Settings(), LEFT], ids=["right", "left"])
@pytest.mark.parametrize("name", ["<f4", "<f2", "<u2", "u1"])
def test_both_transports_give_equal_bits(client, make_frames, settings, name):
    frame_format = FrameFormat(5, 4, np.dtype(name), 4)
    frames = make_frames(frame_format, 9)
    chunks = client.convert(client.header(frames, frame_format, settings), frames).frames
    store = ByStore(client, frame_format, 9).convert(frames, frame_format, settings)
    assert {index: bytes(pixels) for index, pixels in chunks.items()} == store
    assert sorted(store) == [2, 3, 4, 5, 6]


def test_the_left_eye_is_the_source_and_the_model_is_not_asked(service, client, make_frames):
    frames = make_frames(F32, 1)
    window = client.convert(client.header(frames, F32, LEFT), frames)
    assert bytes(window.frames[0]) == frames[0]
    assert service.model.windows == []


def test_the_left_eye_keeps_even_what_is_not_a_number(client):
    frame = np.full(80, np.nan, "<f4").tobytes()
    assert bytes(client.convert(client.header([frame], F32, LEFT), [frame]).frames[0]) == frame


def test_frames_reach_the_model_upright_and_in_order(service, client):
    values = np.arange(2 * 3 * 4, dtype="<f4").reshape(2, 3, 4)  # H, W, C, bottom row first
    frame_format = FrameFormat(3, 2, np.dtype("<f4"), 4, bottom_up=True)
    other = values + 100
    frames = [values.tobytes(), other.tobytes(), values.tobytes()]
    client.convert(client.header(frames, frame_format, wanted=[1]), frames)
    seen = service.model.windows[0].frames
    assert np.array_equal(seen[0], values[::-1].transpose(2, 0, 1))
    assert np.array_equal(seen[1], other[::-1].transpose(2, 0, 1))
    assert np.array_equal(seen[2], seen[0])


def test_depth_of_another_size_and_type_reaches_the_model(service, client, make_frames):
    frames = make_frames(F32, 1)
    depth_format = FrameFormat(2, 1, np.dtype("<u2"), 1)
    depth = np.array([0, 65535], "<u2").tobytes()
    header = client.header(frames, F32, Settings(depth_source="clip"), depth=[depth], depth_format=depth_format)
    client.convert(header, [*frames, depth])
    assert service.model.windows[0].depth.tolist() == [[[[0.0, 1.0]]]]


def test_settings_and_time_reach_the_model(service, client, make_frames):
    frames = make_frames(F32, 1)
    client.convert(
        client.header(frames, F32, Settings(disparity=1.2), first_frame=-40, depth_estimator="Draft"), frames
    )
    window = service.model.windows[0]
    assert (window.settings.disparity, window.first_frame, window.depth_estimator) == (1.2, -40, "Draft")


def test_full_side_by_side_comes_back_twice_as_wide(client, make_frames):
    frames = make_frames(F32, 1)
    window = client.convert(client.header(frames, F32, Settings(output="sbs-full")), frames)
    assert (window.format.width, window.format.height) == (10, 4)


def test_the_summary_says_what_was_done(client, make_frames):
    frames = make_frames(F32, 1)
    summary = client.convert(client.header(frames, F32), frames).summary
    assert (summary.model_version, summary.inpainter, summary.depth_estimator) == ("fake-1", "lite", "Draft")
    assert (summary.device, summary.retention, summary.disoccluded) == ("cpu", 0.5, 0.125)
    assert (summary.min_parallax, summary.max_parallax, list(summary.warnings)) == (-1.0, 2.0, ["mind the gap"])
    assert {entry.stage: entry.seconds for entry in summary.stage_times}["depth"] == 0.25
    assert "transport" in [entry.stage for entry in summary.stage_times]


def test_clamped_values_are_told(service, client, make_frames, small):
    service.model.factor = 3.0
    frame = bytes([255] * 8 + [0] * 40)
    warnings = client.convert(client.header([frame], small), [frame]).summary.warnings
    assert warnings[-1].startswith("8 values lay outside 0..1")


def test_progress_never_falls_and_names_its_stages(client, make_frames):
    frames = make_frames(F32, 1)
    progress = client.convert(client.header(frames, F32), frames).progress
    fractions = [step.fraction for step in progress]
    assert fractions == sorted(fractions)
    assert {step.stage for step in progress} <= {"queued", "transport", "depth", "fill"}


def test_a_frame_is_asked_for_once_in_a_session(client, make_frames):
    frames = make_frames(F32, 3)
    header = client.header([frames[0], frames[1], frames[0]], F32, LEFT, wanted=[0])
    client.convert(header, [frames[0], frames[1], frames[0]])
    header = client.header(frames, F32, LEFT, wanted=[0, 2])
    answers = client.stub.ConvertWindow(iter([Request(header=header)]))
    assert list(next(answers).frames_needed.content_keys) == [header.frames[2].content_key]
    answers.cancel()


def test_another_session_has_to_send_its_own_frames(service, client, make_frames):
    frames = make_frames(F32, 1)
    client.convert(client.header(frames, F32, LEFT), frames)
    with ServiceClient(service.target) as other:
        answers = other.stub.ConvertWindow(iter([Request(header=other.header(frames, F32, LEFT))]))
        assert len(next(answers).frames_needed.content_keys) == 1
        answers.cancel()


def test_a_slot_is_written_again_only_after_its_release(client, make_frames):
    frames = make_frames(F32, 3)
    way = ByStore(client, F32, 3, outputs=1)
    header = way.header(frames, F32, LEFT, wanted=[0, 1, 2])
    release, done = threading.Event(), threading.Event()

    def requests():
        yield Request(header=header)
        while not done.is_set():
            if release.wait(0.01):
                release.clear()
                yield Request(release_slot=header.output_slots[0])

    answers = client.stub.ConvertWindow(requests(), timeout=10)
    results = (answer.result for answer in answers if answer.WhichOneof("message") == "result")
    for frame in frames:
        result = next(results)
        time.sleep(0.02)  # time enough for the service to overwrite the slot, were it wrong
        assert way.store.slot(result.location).tobytes() == frame
        release.set()
    done.set()
    assert next(results, None) is None


def test_closing_the_store_does_not_hurt_a_window_that_runs(service, client, make_frames):
    frames = make_frames(F32, 1)
    way = ByStore(client, F32, 1, outputs=1)
    service.model.gate.clear()
    header = way.header(frames, F32, Settings())
    answers = client.stub.ConvertWindow(iter([Request(header=header)]), timeout=10)
    assert service.model.running.wait(5)
    way.store.close()
    service.model.gate.set()
    results = [answer.result for answer in answers if answer.WhichOneof("message") == "result"]
    assert way.store.slot(results[0].location).tobytes() == halved(frames[0])


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


def chunk(key: bytes, offset: int, size: int) -> Request:
    return Request(chunk=frame_pb2.FrameChunk(content_key=key, offset_bytes=offset, data=bytes(size)))


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


def test_a_full_queue_says_when_to_come_back(start_service, small, make_frames, eventually):
    service = start_service(limits={"max_queued_windows": 1})
    service.model.gate.clear()
    frames = make_frames(small, 1)
    with ServiceClient(service.target) as client:
        first = threading.Thread(target=client.convert, args=(client.header(frames, small), frames))
        first.start()
        assert service.model.running.wait(5)
        with pytest.raises(grpc.RpcError) as refused:  # at once: no frame was asked for, let alone sent
            next(client.stub.ConvertWindow(iter([Request(header=client.header([bytes(48)], small))]), timeout=5))
        service.model.gate.set()
        first.join()
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert re.search(r"retry-after-ms', value='[1-9]", str(refused.value.trailing_metadata()))


def test_a_client_that_stops_sending_is_dropped(start_service, small, make_frames, eventually):
    service = start_service(limits={"stall_s": 0.1})
    frames = make_frames(small, 1)
    with ServiceClient(service.target) as client:
        silent = threading.Event()

        def requests():
            yield Request(header=client.header(frames, small))
            silent.wait(10)

        code, message = status(lambda: list(client.stub.ConvertWindow(requests(), timeout=10)))
        silent.set()
    assert (code, message) == (grpc.StatusCode.DEADLINE_EXCEEDED, "nothing came from the client for 0.1 s")
    eventually(service.is_at_rest)


def test_a_client_that_never_gives_its_slot_back_is_dropped(start_service, make_frames):
    service = start_service(limits={"stall_s": 0.1})
    frames = make_frames(F32, 2)
    with ServiceClient(service.target) as client:
        way = ByStore(client, F32, 2, outputs=1)
        header = way.header(frames, F32, LEFT, wanted=[0, 1])
        code, message = status(lambda: talk(client, Request(header=header)))
    assert (code, "release_slot" in message) == (grpc.StatusCode.DEADLINE_EXCEEDED, True)


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
    assert service.model.running.wait(5)
    answers.cancel()
    eventually(service.is_at_rest)


def cancel(client: ServiceClient, request_id: bytes) -> bool:
    return client.stub.CancelWindow(stereo_convert_pb2.CancelWindowRequest(request_id=request_id)).found


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
        silent.wait(10)

    def convert():
        seen.append(status(lambda: list(client.stub.ConvertWindow(requests(), timeout=10))))

    thread = threading.Thread(target=convert)
    thread.start()
    eventually(lambda: header.request_id in service.shop.calls)
    if stage == "running":
        assert service.model.running.wait(5)
    assert cancel(client, header.request_id)
    thread.join(5)
    silent.set()
    assert seen == [(grpc.StatusCode.CANCELLED, "the window was cancelled")]
    eventually(service.is_at_rest)


def test_cancelling_an_unknown_window_is_fine(client):
    assert not cancel(client, bytes(16))
    code, _ = status(lambda: cancel(client, b"short"))
    assert code is grpc.StatusCode.INVALID_ARGUMENT


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
    assert service.model.running.wait(5)
    code, message = status(lambda: client.convert(header, frames))
    assert (code, "request_id" in message) == (grpc.StatusCode.INVALID_ARGUMENT, True)
    cancel(client, header.request_id)
    held.join(5)


def test_a_message_above_the_chunk_limit_is_refused(start_service, make_frames):
    service = start_service(limits={"max_chunk_bytes": 1024})
    frame_format = FrameFormat(64, 64, np.dtype("u1"), 4)
    frames = make_frames(frame_format, 1)
    with ServiceClient(service.target) as client:
        code, message = status(lambda: client.convert(client.header(frames, frame_format), frames))
    assert (code, "it must have 1..1024" in message) == (grpc.StatusCode.INVALID_ARGUMENT, True)


def test_the_key_of_a_frame_covers_pixels_and_format(small, make_frames):
    (frame,) = make_frames(small, 1)
    wire = format_to_wire(small)
    other = format_to_wire(small.resized(3, 4))
    assert content_key(frame, wire) != content_key(frame, other)
    assert content_key(frame, wire) != content_key(bytes(48), wire)
