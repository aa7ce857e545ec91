from __future__ import annotations

import numpy as np
import pytest

from model.errors import FrameFormatError, InvalidInputError, ShapeError, StereoError
from model.settings import Settings
from service.client import ServiceClient
from service.config import ServiceLimits
from service.errors import ContractSkewError, StoreNotFoundError
from service.wire.frame_store import FrameStores
from service.wire.frame_wire import FrameFormat, format_to_wire
from service.wire.shared_region import SharedRegion
from service.wire.window_plan import check_contract, plan_window

LIMITS = ServiceLimits(max_width=64, max_height=64, max_window=9, max_window_bytes=4096)
STORE_BYTES = 16384


@pytest.fixture
def stores():
    return FrameStores(4, 1 << 20)


@pytest.fixture
def store(stores):
    region = SharedRegion(STORE_BYTES)
    shared = stores.open(region.request())
    region.unlink()
    yield shared
    stores.close(shared)


@pytest.fixture
def header(small, make_frames):
    """Build a header of `count` frames; further arguments are fields of WindowHeader."""
    client = ServiceClient("unix:/nowhere")

    def build(count: int = 5, settings: Settings | None = None, **fields):
        return client.header(make_frames(small, count), small, settings, **fields)

    yield build
    client.__exit__(None, None, None)


def refused(message, stores, text, kind: type[StereoError] = InvalidInputError):
    with pytest.raises(kind, match=text):
        plan_window(message, LIMITS, stores)


def test_a_sound_header_becomes_a_plan(header, stores, small):
    plan = plan_window(header(5, first_frame=-7, interactive=True), LIMITS, stores)
    assert (len(plan.frames), plan.first_frame, plan.interactive) == (5, -7, True)
    assert (plan.result_format, plan.inpainter, plan.settings) == (small, "lite", Settings())


def test_without_wanted_the_frames_beside_the_context_are_kept(header, stores):
    assert plan_window(header(9), LIMITS, stores).wanted == (2, 3, 4, 5, 6)
    assert plan_window(header(1), LIMITS, stores).wanted == (0,)


def test_wanted_keeps_its_order(header, stores):
    assert plan_window(header(5, wanted=[3, 0]), LIMITS, stores).wanted == (3, 0)


@pytest.mark.parametrize(("output", "size"), [("sbs-full", (8, 3)), ("tb-full", (4, 6)), ("sbs-half", (4, 3))])
def test_full_layouts_grow_the_result(header, stores, output, size):
    result = plan_window(header(1, Settings(output=output)), LIMITS, stores).result_format
    assert (result.width, result.height) == size


@pytest.mark.parametrize("version", [1000, 1001])
def test_one_minor_version_apart_works(version):
    check_contract(version)


@pytest.mark.parametrize(
    ("version", "older"), [(1002, "update the service"), (2000, "update the service"), (999, "update the plugin")]
)
def test_skew_says_which_side_to_update(version, older):
    with pytest.raises(ContractSkewError, match=older):
        check_contract(version)


def test_a_version_that_was_never_set_is_refused():
    with pytest.raises(InvalidInputError, match="contract_version is unset"):
        check_contract(0)


@pytest.mark.parametrize("name", ["session_id", "request_id"])
def test_an_id_of_another_length_is_refused(header, stores, name):
    message = header()
    setattr(message, name, b"short")
    refused(message, stores, f"header.{name} has 5 bytes; it must have 16")


def test_a_content_key_of_another_length_is_refused(header, stores):
    message = header()
    message.frames[3].content_key = b""
    refused(message, stores, r"header.frames\[3\].content_key has 0 bytes; it must have 16")


def test_no_frames_are_refused(header, stores):
    refused(header(0), stores, "header.frames is empty; a window has 1..9 frames", ShapeError)


def test_too_many_frames_are_refused(header, stores):
    refused(header(10), stores, r"header.frames has 10 frames; a window has 1..9")


def test_a_window_that_keeps_nothing_is_refused_unless_frames_are_named(header, stores):
    refused(header(4), stores, "keeps none beside its 2 context frames")
    assert plan_window(header(4, wanted=[1]), LIMITS, stores).wanted == (1,)


def test_too_many_bytes_are_refused_before_any_is_read(header, stores):
    message = header(9)
    for reference in message.frames:
        reference.format.CopyFrom(format_to_wire(FrameFormat(64, 64, np.dtype("u1"), 4)))
    refused(message, stores, f"have {9 * 64 * 64 * 4} bytes; at most 4096 are allowed: use a shorter window")


def test_a_size_above_the_limit_is_refused(header, stores):
    message = header()
    message.frames[0].format.width = 65
    refused(message, stores, r"header.frames\[0\].format.width is 65 px; it must be 1..64", FrameFormatError)


def test_frames_of_two_formats_are_refused(header, stores):
    message = header()
    message.frames[2].format.height = 4
    refused(
        message, stores, r"header.frames\[2\].format is 4 x 4 RGBA u8; all must be like the first", FrameFormatError
    )


def test_gray_source_frames_are_refused(header, stores):
    message = header()
    for reference in message.frames:
        reference.format.channel_order = 3
    refused(message, stores, "the source must be RGBA or RGB", FrameFormatError)


@pytest.mark.parametrize(("wanted", "text"), [([5], r"has 5; it must be 0..4"), ([1, 1], "names a frame twice")])
def test_wanted_outside_the_window_is_refused(header, stores, wanted, text):
    refused(header(5, wanted=wanted), stores, text)


def test_depth_clip_without_depth_is_refused(header, stores):
    refused(header(5, Settings(depth_source="clip")), stores, "has 0 frames; it must have 5", ShapeError)


def test_depth_with_another_source_is_refused(header, stores, make_frames, small):
    message = header(5)
    message.depth.extend(message.frames)
    refused(message, stores, 'depth_source is "estimate"')


def test_alpha_as_depth_needs_alpha(header, stores):
    message = header(5, Settings(depth_source="alpha"))
    for reference in message.frames:
        reference.format.channel_order = 2
    refused(message, stores, "have no alpha; send RGBA", FrameFormatError)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/abs/path", "a/b", "x" * 65, "a\nb", ".hidden"])
def test_a_model_name_that_could_be_a_path_is_refused(header, stores, name):
    refused(header(inpainter=name), stores, "must be a name from Describe")


def test_an_input_slot_must_hold_a_frame(header, stores, store):
    message = header()
    message.frames[0].location.store_id = store.store_id
    message.frames[0].location.offset_bytes = 4096
    message.frames[0].location.size_bytes = 47
    refused(message, stores, r"header.frames\[0\].location.size_bytes is 47; it must be 48")


def test_an_output_slot_must_hold_the_grown_result(header, stores, store):
    message = header(1, Settings(output="sbs-full"))
    message.output_slots.add(store_id=store.store_id, offset_bytes=4096, size_bytes=48)
    refused(message, stores, r"header.output_slots\[0\].size_bytes is 48; it must be 96")


def test_slots_that_overlap_are_refused(header, stores, store):
    message = header(5)
    for offset in (4096, 4096 + 64):
        message.output_slots.add(store_id=store.store_id, offset_bytes=offset, size_bytes=128)
    refused(message, stores, r"header.output_slots\[1\] overlaps another slot")


def test_more_output_slots_than_frames_are_refused(header, stores, store):
    message = header(1)
    for index in range(2):
        message.output_slots.add(store_id=store.store_id, offset_bytes=4096 + 64 * index, size_bytes=48)
    refused(message, stores, "has 2 slots; at most one for each frame")


def test_a_store_that_is_gone_is_not_found(header, stores):
    message = header()
    message.frames[0].location.store_id = bytes(16)
    refused(message, stores, "store_id is unknown", StoreNotFoundError)
