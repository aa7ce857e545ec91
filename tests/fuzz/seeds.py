"""Sound input for each coverage fuzzer, to start from: `python -m tests.fuzz.seeds FOLDER` writes FOLDER/TARGET/N."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from stereoconvert.v1 import frame_pb2, stereo_convert_pb2

from model.settings import Settings
from service.client import Request, ServiceClient
from service.wire.frame_wire import FrameFormat, format_to_wire
from service.wire.settings_wire import settings_to_wire
from service.wire.shared_region import SharedRegion
from tests.fuzz.service_parsers import STORE_ID

SHARED_BYTES = 8192
SMALL = FrameFormat(4, 3, np.dtype("u1"), 4)
WIDE = SMALL.resized(8, 3)
FORMATS = (SMALL, FrameFormat(3, 2, np.dtype("<u2"), 3), FrameFormat(5, 4, np.dtype("<f2"), 1, bottom_up=True),
           FrameFormat(2, 2, np.dtype("<f4"), 4, color_space="ACEScg"))  # fmt: skip

JOB = """
devices = ["cpu"]
report = "report"
[defaults]
codec = "prores"
settings = { disparity = 2.5, engine = "none" }
[[clip]]
source = "a.mov"
outputs = { right = "r.mov", anaglyph = { path = "a.mp4", codec = "h264", options = { crf = 18 } } }
fps = "24000/1001"
first = 1
[[clip.shot]]
first = 12
last = 18
settings = { disparity = 1.5 }
"""

Response = stereo_convert_pb2.ConvertWindowResponse


def service_seeds() -> dict[str, list[bytes]]:
    """For the targets of `service_parsers`."""
    every = settings_to_wire(Settings())
    return {
        "window": [_stream(_window(settings, by_store)) for settings in _settings() for by_store in (False, True)],
        "share": [_share(is_file) for is_file in (True, False)],
        "settings": [stereo_convert_pb2.WindowHeader(settings=every).SerializeToString()],
        "settings_text": [b"disparity=2.5\nengine=none\nblend=off\nwindow=33", b"output=sbs-full\ntemporal_stride=off"],
        "pixels": [_format_and_frame(frame_format) for frame_format in FORMATS],
        "job": [JOB.encode()],
        "token": [b"0123456789abcdef0123456789abcdef\n"],
        "listen": [b"127.0.0.1:7733", b"[::1]:0", b"localhost:1", b"0.0.0.0:7733"],
        "redaction": [b"cannot read|: no such file", b"a/b:'/x/y'|(/tmp/z)"],
    }


def plugin_seeds() -> dict[str, list[bytes]]:
    """For fuzz_window_answer, fuzz_session_answer and fuzz_saved_params."""
    description = stereo_convert_pb2.DescribeResponse(
        service_version="0.1.0",
        contract_version=1000,
        model_version="m",
        inpainters=[stereo_convert_pb2.Inpainter(name="lite", license="Apache-2.0", available=True)],
    )
    share = stereo_convert_pb2.ShareFrameStoreResponse(
        store_id=STORE_ID, client_nonce=bytes(16), service_nonce=bytes(16)
    )
    described = _answer([description.SerializeToString()])
    return {
        "window_answer": [
            bytes((kind,)) + _answer([message.SerializeToString() for message in _answers(kind)], hint=b"250")
            for kind in range(8)
        ],
        "session_answer": [
            bytes((-(-len(described) // 4),)) + described.ljust(-(-len(described) // 4) * 4, b"\0")
            + _answer([share.SerializeToString()])
        ],
        "saved_params": [bytes(range(256)) * 5, b"\xff" * 1300, bytes(1300)],
    }  # fmt: skip


def _share(is_file: bool) -> bytes:
    region = SharedRegion(SHARED_BYTES, is_file)
    region.unlink()
    return region.request().SerializeToString()


def _settings() -> list[Settings]:
    return [Settings(output="left"), Settings(engine="none", depth_source="clip"), Settings(output="sbs-full")]


def _window(settings: Settings, by_store: bool) -> list[Request]:
    with ServiceClient("unix:nowhere") as client:
        frames = [bytes(range(index, index + SMALL.frame_bytes)) for index in range(3)]
        depth = frames if settings.depth_source == "clip" else ()
        header = client.header(frames, SMALL, settings, depth=depth, wanted=[1])
    header.session_id = header.request_id = bytes(16)
    if by_store:
        header.frames[0].location.CopyFrom(_location(4096, 64))
        header.output_slots.append(_location(8192, 128))
    sent = {
        bytes(f.content_key): pixels
        for f, pixels in zip(header.frames, frames, strict=True)
        if not f.HasField("location")
    }
    chunks = [frame_pb2.FrameChunk(content_key=key, data=pixels) for key, pixels in sent.items()]
    return [Request(header=header), *(Request(chunk=chunk) for chunk in chunks)]


def _location(offset: int, size: int) -> frame_pb2.StoreLocation:
    return frame_pb2.StoreLocation(store_id=STORE_ID, offset_bytes=offset, size_bytes=size)


def _stream(requests: list[Request]) -> bytes:
    messages = [request.SerializeToString() for request in requests]
    return b"".join(len(message).to_bytes(2, "little") + message for message in messages)


def _format_and_frame(frame_format: FrameFormat) -> bytes:
    message = format_to_wire(frame_format).SerializeToString()
    return (bytes((len(message),)) + message).ljust(64, b"\0") + bytes(range(frame_format.frame_bytes))


def _answers(kind: int) -> list[Response]:
    """What a sound service answers to the window of fuzz_window_answer.cpp; see there for `kind`."""
    frame_format = format_to_wire(WIDE if kind & 2 else SMALL)
    frame_format.row_order = frame_pb2.ROW_ORDER_BOTTOM_UP
    pixels = bytes(frame_format.width * frame_format.height * 4)
    keys = [bytes((index,)) * 16 for index in range(3)]
    answers = [Response(frames_needed=stereo_convert_pb2.FramesNeeded(content_keys=keys))]
    answers.append(Response(progress=stereo_convert_pb2.Progress(stage="warp", fraction=0.5)))
    for place, index in enumerate([1] if kind & 1 else [2, 0]):
        result = stereo_convert_pb2.ResultFrame(index=index, format=frame_format)
        if kind & 4:  # slots follow the three frames, a page each
            result.location.CopyFrom(_location(4096 * (4 + place), 4096))
        answers.append(Response(result=result))
        if not kind & 4:
            answers.append(Response(chunk=frame_pb2.FrameChunk(data=pixels[:20])))
            answers.append(Response(chunk=frame_pb2.FrameChunk(offset_bytes=20, data=pixels[20:])))
    summary = stereo_convert_pb2.WindowSummary(model_version="m", device="cpu", inpainter="lite", warnings=["mind"])
    summary.stage_times.add(stage="warp", seconds=0.25)
    return [*answers, Response(summary=summary)]


def _answer(messages: list[bytes], hint: bytes = b"") -> bytes:
    """As answerFrom of answering_service.h reads it, with status OK."""
    records = [(0, message) for message in messages] + ([(1, hint)] if hint else [])
    return b"\0" + b"".join(bytes((kind,)) + len(text).to_bytes(2, "little") + text for kind, text in records)


def main(folder: Path) -> None:
    """Write them all."""
    for target, seeds in {**service_seeds(), **plugin_seeds()}.items():
        (folder / target).mkdir(parents=True, exist_ok=True)
        for number, seed in enumerate(seeds):
            (folder / target / f"seed{number}").write_bytes(seed)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
