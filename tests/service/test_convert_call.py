"""ConvertWindow over a real socket, with a model that halves."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from model.settings import Settings
from service.client import Request, ServiceClient, content_key
from service.wire.frame_wire import FrameFormat, format_to_wire
from tests.service.window_calls import F32, LEFT, ByStore, halved


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

    answers = client.stub.ConvertWindow(requests(), timeout=60)
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
    answers = client.stub.ConvertWindow(iter([Request(header=header)]), timeout=60)
    assert service.model.running.wait(60)
    way.store.close()
    service.model.gate.set()
    results = [answer.result for answer in answers if answer.WhichOneof("message") == "result"]
    assert way.store.slot(results[0].location).tobytes() == halved(frames[0])


def test_the_key_of_a_frame_covers_pixels_and_format(small, make_frames):
    (frame,) = make_frames(small, 1)
    wire = format_to_wire(small)
    other = format_to_wire(small.resized(3, 4))
    assert content_key(frame, wire) != content_key(frame, other)
    assert content_key(frame, wire) != content_key(bytes(48), wire)
