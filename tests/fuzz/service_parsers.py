"""What the service reads from outside, each reader as a function of bytes: for coverage fuzzers and for tests.

A target returns, or raises AssertionError for a result that is wrong, or whatever a reader should not have raised.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError
from stereoconvert.v1 import frame_pb2, stereo_convert_pb2

from model.errors import InvalidInputError, StereoError
from model.settings import Settings, parse_settings
from service.access.auth import read_token
from service.access.redaction import without_folders, without_secrets
from service.batch.errors import JobError
from service.batch.jobs.job_file import read_job
from service.caches.frame_cache import FrameCache
from service.config import ServiceConfig, ServiceLimits, is_loopback
from service.errors import code_of
from service.wire.frame_receiver import FrameReceiver
from service.wire.frame_store import FrameStores
from service.wire.frame_wire import decode_frame, encode_frame, format_from_wire, format_to_wire
from service.wire.settings_wire import settings_from_wire, settings_to_wire
from service.wire.shared_region import SharedRegion, open_region
from service.wire.slot_pool import SlotPool
from service.wire.window_pixels import decode_window
from service.wire.window_plan import plan_window

LIMITS = ServiceLimits(max_width=64, max_height=64, max_window=9, max_window_bytes=1 << 20, max_chunk_bytes=4096)
STORE_ID = b"s" * 16
STORE_BYTES = 16384
FOLDER, TOKEN = "/home/somebody/private", "0123456789abcdef" * 4

Request = stereo_convert_pb2.ConvertWindowRequest


def window(data: bytes) -> None:
    """④ A ConvertWindow stream: records of two bytes for the length, low first, and a message."""
    with suppress(DecodeError):
        requests = [Request.FromString(record) for record in _records(data)]
        try:
            _receive(iter(requests))
        except StereoError as error:
            assert code_of(error).name != "INTERNAL", error
            assert len(str(error)) < 2000, "an error that repeats what came"


def _receive(requests: Iterator[Request]) -> None:
    """What ConvertCall does with a stream, up to the pixels in arrays."""
    first = next(requests, None)
    if first is None or first.WhichOneof("message") != "header":
        return
    plan = plan_window(first.header, LIMITS, _stores())
    assert 1 <= len(plan.frames) <= LIMITS.max_window
    assert set(plan.wanted) <= set(range(len(plan.frames)))
    slots = [frame.slot for frame in plan.frames + plan.depth if frame.slot] + list(plan.output_slots)
    assert all(slot.offset_bytes + slot.size_bytes <= STORE_BYTES and slot.offset_bytes >= 4096 for slot in slots)

    async def read() -> Request | None:
        return next(requests, None)

    received = _finished(FrameReceiver(plan, FrameCache(1 << 20), LIMITS.max_chunk_bytes).receive(read))
    assert all(len(received[frame.content_key]) == frame.format.frame_bytes for frame in plan.frames if not frame.slot)
    decoded = decode_window(plan, received)
    source = plan.frames[0].format
    assert decoded.frames.shape == (len(plan.frames), source.channels, source.height, source.width)
    pool = SlotPool(plan.output_slots, 1.0)
    for request in requests:
        pool.release(request.release_slot)


def _stores() -> FrameStores:
    """One shared region, under a name that seeds can know."""
    if not _made:
        region = SharedRegion(STORE_BYTES)
        stores = FrameStores(4, 1 << 20)
        store = stores.open(region.request())
        region.unlink()
        stores._by_id[STORE_ID] = stores._by_id.pop(store.store_id)
        store.store_id = STORE_ID
        _made.append(stores)
    return _made[0]


_made: list[FrameStores] = []


def share(data: bytes) -> None:
    """A ShareFrameStore request: whatever it names, nothing is opened but a region that was made for it."""
    with suppress(DecodeError, StereoError):
        request = stereo_convert_pb2.ShareFrameStoreRequest.FromString(data)
        descriptor = open_region(request)
        link = os.readlink(f"/proc/self/fd/{descriptor}")
        os.close(descriptor)
        assert link.removesuffix(" (deleted)") in (f"/memfd:{request.name[1:]}", f"/dev/shm{request.name}"), link


def settings(data: bytes) -> None:
    """A Settings message, and back again: what is valid comes back equal."""
    with suppress(DecodeError, InvalidInputError):
        message = stereo_convert_pb2.WindowHeader.FromString(data).settings
        valid = settings_from_wire(message)
        assert settings_from_wire(settings_to_wire(valid)) == valid


def settings_text(data: bytes) -> None:
    """NAME=VALUE lines, as on the command line."""
    pairs = (line.partition("=") for line in data.decode(errors="replace").splitlines())
    with suppress(InvalidInputError):
        assert isinstance(parse_settings({name: value for name, _, value in pairs}), Settings)


def pixels(data: bytes) -> None:
    """A PixelFormat in the first 32 bytes, then a frame: integers come back bit for bit."""
    with suppress(DecodeError, InvalidInputError):
        message = frame_pb2.PixelFormat.FromString(data[1 : 1 + data[0] % 64] if data else b"")
        frame_format = format_from_wire(message, "format", 64, 64)
        assert format_from_wire(format_to_wire(frame_format), "format", 64, 64) == frame_format
        frame = data[64:].ljust(frame_format.frame_bytes, b"\xa5")
        image = np.empty((frame_format.channels, frame_format.height, frame_format.width), np.float32)
        with np.errstate(invalid="ignore"):  # NaN that signals
            decode_frame(frame, frame_format, image)
            back = bytearray(frame_format.frame_bytes)
            clamped = encode_frame(image, frame_format, back)
        if frame_format.is_integer:
            assert (bytes(back), clamped) == (frame[: len(back)], 0)


def job(data: bytes) -> None:
    """A job file."""
    path = _scratch() / "job.toml"
    path.write_bytes(data)
    with suppress(JobError):
        order = read_job(path)
        assert order.clips


def token(data: bytes) -> None:
    """A token file: what is taken for a token can be sent as metadata."""
    path = _scratch() / "token"
    path.write_bytes(data)
    path.chmod(0o600)
    with suppress(InvalidInputError):
        found = read_token(path)
        assert len(found) >= 16
        assert all(" " <= character <= "~" for character in found)


def listen(data: bytes) -> None:
    """An address to listen on: without TLS, loopback alone."""
    address = data.decode(errors="replace")
    with suppress(InvalidInputError):
        ServiceConfig(runtime_dir=Path("/r"), listen=address)
        assert is_loopback(address)
        host = address.rpartition(":")[0].strip("[]").partition("%")[0]
        assert host == "localhost" or host.startswith("127.") or set(host) <= set("0:1"), address


def redaction(data: bytes) -> None:
    """Text around a folder and a token: neither may be left."""
    before, _, after = data.decode(errors="replace").partition("|")
    folder = without_folders(f"{before} '{FOLDER}/x.toml' {after}")
    assert FOLDER not in folder, folder
    secret = without_secrets(f"{before} Bearer {TOKEN} {after} {TOKEN}")
    assert TOKEN not in secret, secret


TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target
    for target in (window, share, settings, settings_text, pixels, job, token, listen, redaction)
}


def _records(data: bytes) -> Iterator[bytes]:
    at = 0
    while at + 2 <= len(data):
        size = int.from_bytes(data[at : at + 2], "little")
        yield data[at + 2 : at + 2 + size]
        at += 2 + size


def _finished(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """The result of a coroutine that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("it waits")


def _scratch() -> Path:
    if not _folders:
        _folders.append(tempfile.TemporaryDirectory(prefix="fuzz-"))
    return Path(_folders[0].name)


_folders: list[tempfile.TemporaryDirectory] = []
