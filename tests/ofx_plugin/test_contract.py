"""A service that breaks the contract: the render fails with a message, the host lives, the next service is fine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import numpy as np
import pytest
from stereoconvert.v1 import frame_pb2, stereo_convert_pb2, stereo_convert_pb2_grpc

from tests.ofx_host import RenderFailed
from tests.ofx_plugin.formula_service import formula

pytestmark = pytest.mark.host

Response = stereo_convert_pb2.ConvertWindowResponse
SERVICE = stereo_convert_pb2.DESCRIPTOR.services_by_name["StereoConvertService"].full_name
Answer = Callable[[stereo_convert_pb2.WindowHeader], Iterator[Any]]


class ScriptedServicer(stereo_convert_pb2_grpc.StereoConvertServiceServicer):
    """Answers each window with the next script; shares no memory."""

    def __init__(self) -> None:
        self.scripts: list[Answer] = []

    def Describe(self, request: Any, context: Any) -> stereo_convert_pb2.DescribeResponse:  # noqa: N802
        return stereo_convert_pb2.DescribeResponse(contract_version=1000, model_version="scripted")

    def ShareFrameStore(self, request_iterator: Any, context: grpc.ServicerContext) -> None:  # noqa: N802
        context.abort(grpc.StatusCode.NOT_FOUND, "no such object here")

    def ConvertWindow(self, request_iterator: Any, context: grpc.ServicerContext) -> Iterator:  # noqa: N802
        header = next(request_iterator).header
        for answer in self.scripts.pop(0)(header):
            if isinstance(answer, grpc.StatusCode):
                context.abort(answer, "as the script says")
            yield answer if isinstance(answer, bytes) else Response(**answer).SerializeToString()


@pytest.fixture
def servicer() -> ScriptedServicer:
    return ScriptedServicer()


@pytest.fixture
def address(servicer, runtime_dir) -> Iterator[str]:
    target = f"unix:{runtime_dir}/scripted.sock"
    with ThreadPoolExecutor(4) as pool:
        server = grpc.server(pool)
        stereo_convert_pb2_grpc.add_StereoConvertServiceServicer_to_server(servicer, server)
        window = grpc.stream_stream_rpc_method_handler(  # sends bytes as they are
            servicer.ConvertWindow, stereo_convert_pb2.ConvertWindowRequest.FromString
        )
        instead = {"ConvertWindow": window}
        server.add_registered_method_handlers(SERVICE, instead)  # pyright: ignore[reportAttributeAccessIssue] - untyped
        server.add_insecure_port(target)
        server.start()
        yield target
        server.stop(None).wait()


def frame(index: int, like: frame_pb2.PixelFormat, **changes: Any) -> dict:
    changed = frame_pb2.PixelFormat()
    changed.CopyFrom(like)
    for name, value in changes.items():
        setattr(changed, name, value)
    return {"result": stereo_convert_pb2.ResultFrame(index=index, format=changed)}


def chunk(data: bytes, offset: int = 0) -> dict:
    return {"chunk": frame_pb2.FrameChunk(data=data, offset_bytes=offset)}


def good(header: stereo_convert_pb2.WindowHeader) -> Iterator[dict]:
    """All frames as the formula has them at disparity 0, from nothing: black sources."""
    like = header.frames[0].format
    for index in header.wanted:
        yield frame(index, like)
        black = np.zeros((like.height, like.width, 4), np.float32)
        black[..., 3] = 1
        pixels = formula(black, header.first_frame + index)[::-1].tobytes()
        yield chunk(pixels[:1000])
        yield {"progress": stereo_convert_pb2.Progress(stage="fill", fraction=0.5)}
        yield chunk(pixels[1000:], 1000)
    yield {"summary": stereo_convert_pb2.WindowSummary(model_version="scripted")}


def located(header: stereo_convert_pb2.WindowHeader) -> Iterator[dict]:
    answer = frame(header.wanted[0], header.frames[0].format)
    answer["result"].location.CopyFrom(frame_pb2.StoreLocation(store_id=b"0" * 16, offset_bytes=4096, size_bytes=1))
    yield answer


def first(header: stereo_convert_pb2.WindowHeader, **changes: Any) -> dict:
    return frame(header.wanted[0], header.frames[0].format, **changes)


LIES: dict[str, tuple[Answer, str]] = {
    "no frame": (lambda h: iter(()), "0 frames; 13 were wanted"),
    "unasked frame": (lambda h: iter([frame(0, h.frames[0].format)]), "frame 0 unasked"),
    "frame beyond the window": (lambda h: iter([frame(99, h.frames[0].format)]), "frame 99 unasked"),
    "same frame twice": (lambda h: (a for a in [*list(good(h))[:4], first(h)]), "unasked"),
    "another size": (lambda h: iter([first(h, width=16384, height=16384)]), "16384 x 16384"),
    "no size": (lambda h: iter([first(h, width=0)]), "0 x 24"),
    "another type": (lambda h: iter([first(h, pixel_type=frame_pb2.PIXEL_TYPE_U8)]), "type 1"),
    "rows from the top": (lambda h: iter([first(h, row_order=frame_pb2.ROW_ORDER_TOP_DOWN)]), "rows 1"),
    "foreign place": (located, "not offered"),
    "pixels of no frame": (lambda h: iter([chunk(b"0" * 16)]), "belong to no frame"),
    "too many pixels": (lambda h: iter([first(h), chunk(b"0" * (40 * 24 * 16 + 1))]), "belong to no frame"),
    "gap": (lambda h: iter([first(h), chunk(b"0" * 16, 16)]), "belong to no frame"),
    "huge offset": (lambda h: iter([first(h), chunk(b"0" * 16, 2**64 - 8)]), "belong to no frame"),
    "interrupted frame": (lambda h: iter([first(h), chunk(b"0" * 16), first(h)]), "before the last one was complete"),
    "no protobuf": (lambda h: iter([b"\xff" * 9]), "a message that cannot be read"),
    "no protobuf after a frame": (lambda h: (a for a in [first(h), b"\x0a\x7f"]), "a message that cannot be read"),
    "frame asked for twice": (
        lambda h: iter([{"frames_needed": {"content_keys": [h.frames[0].content_key] * 2}}]),
        "or for one twice",
    ),
    "unknown frame": (lambda h: iter([{"frames_needed": {"content_keys": [b"1" * 16]}}]), "not in the window"),
}


@pytest.fixture
def black_clip(shot, clip):
    black = np.zeros_like(shot)
    black[..., 3] = 1
    return type(clip)(black)


@pytest.mark.parametrize("lie", LIES)
def test_broken_contract_is_an_error_and_the_next_window_is_fine(make_effect, servicer, address, black_clip, lie):
    script, message = LIES[lie]
    servicer.scripts = [script, good]
    effect = make_effect("nuke", address)
    effect.set_clip("Source", black_clip)
    with pytest.raises(RenderFailed, match=message):
        effect.render(5)
    np.testing.assert_array_equal(effect.render(5), formula(black_clip.frame(5), 5))
    effect.check()


def test_what_a_service_one_minor_version_newer_says_beside_is_passed_over(make_effect, servicer, address, black_clip):
    of_later = b"\x9a\x06\x03new"  # field 99 of any message, three bytes

    def newer(header):
        for answer in good(header):
            yield of_later  # a message of a kind that this plugin does not have
            yield Response(**answer).SerializeToString() + of_later

    servicer.scripts = [newer]
    effect = make_effect("nuke", address)
    effect.set_clip("Source", black_clip)
    np.testing.assert_array_equal(effect.render(5), formula(black_clip.frame(5), 5))


def test_unavailable_service_is_asked_once_more(make_effect, servicer, address, black_clip):
    servicer.scripts = [lambda h: iter([grpc.StatusCode.UNAVAILABLE]), good]
    effect = make_effect("nuke", address)
    effect.set_clip("Source", black_clip)
    np.testing.assert_array_equal(effect.render(5), formula(black_clip.frame(5), 5))


def test_service_that_stays_unavailable_is_not_asked_for_ever(make_effect, servicer, address, black_clip):
    servicer.scripts = [lambda h: iter([grpc.StatusCode.UNAVAILABLE])] * 3
    effect = make_effect("nuke", address)
    effect.set_clip("Source", black_clip)
    with pytest.raises(RenderFailed, match="as the script says"):
        effect.render(5)
    assert len(servicer.scripts) == 1


def test_stream_that_breaks_off_in_mid_frame_gives_no_picture(make_effect, servicer, address, black_clip):
    def broken(header):
        yield first(header)
        yield chunk(b"0" * 160)
        yield grpc.StatusCode.DATA_LOSS

    servicer.scripts = [broken, good]
    effect = make_effect("nuke", address)
    effect.set_clip("Source", black_clip)
    with pytest.raises(RenderFailed, match="as the script says"):
        effect.render(5)
    np.testing.assert_array_equal(effect.render(5), formula(black_clip.frame(5), 5))
