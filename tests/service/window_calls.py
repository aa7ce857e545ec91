"""What the tests of ConvertWindow share: formats, ways to send a window, and what comes back."""

from __future__ import annotations

import grpc
import numpy as np
import pytest
from stereoconvert.v1 import frame_pb2, stereo_convert_pb2

from model.settings import Settings
from service.client import Request, ServiceClient, SharedStore, slot_offsets
from service.wire.frame_wire import FrameFormat

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


def chunk(key: bytes, offset: int, size: int) -> Request:
    return Request(chunk=frame_pb2.FrameChunk(content_key=key, offset_bytes=offset, data=bytes(size)))


def cancel(client: ServiceClient, request_id: bytes) -> bool:
    return client.stub.CancelWindow(stereo_convert_pb2.CancelWindowRequest(request_id=request_id)).found
