"""A small client of the service: for the command line, the benchmark and the tests. Blocking, both transports."""

from __future__ import annotations

import queue
import secrets
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import grpc
import numpy as np
import xxhash
from stereoconvert.v1 import frame_pb2, stereo_convert_pb2, stereo_convert_pb2_grpc

from model.settings import Settings
from service.wire.frame_store import ID_BYTES, NONCE_BYTES, RESERVED_BYTES
from service.wire.frame_wire import FrameFormat, format_from_wire, format_to_wire
from service.wire.pixel_copy import copy_pixels
from service.wire.settings_wire import settings_to_wire
from service.wire.shared_region import SharedRegion
from service.wire.window_plan import CONTRACT_VERSION

CHUNK_BYTES = 2 << 20
SLOT_ALIGNMENT_BYTES = 4096
MAX_SIDE_PX = 1 << 20
_BY_NAME = "dns:"
_IN_TURN = (("grpc.lb_policy_name", "round_robin"),)

Request = stereo_convert_pb2.ConvertWindowRequest
Response = stereo_convert_pb2.ConvertWindowResponse


@dataclass
class ConvertedWindow:
    """What came back: bytes of each wanted frame by its index into the window."""

    frames: dict[int, bytes | memoryview] = field(default_factory=dict)
    format: FrameFormat | None = None
    progress: list[stereo_convert_pb2.Progress] = field(default_factory=list)
    summary: stereo_convert_pb2.WindowSummary | None = None


class SharedStore:
    """A region that the service has proved to see."""

    def __init__(self, stub: stereo_convert_pb2_grpc.StereoConvertServiceStub, size_bytes: int) -> None:
        """Share a region of `size_bytes`; raises grpc.RpcError, or ConnectionError when the memory is not shared."""
        self.region = SharedRegion(size_bytes)
        self._copier = ThreadPoolExecutor(1)
        self._requests: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._requests.put(self.region.request())
        try:
            self.store_id = self._proved(stub)
        except BaseException:
            self._requests.put(None)  # gRPC's thread waits for it
            raise
        finally:
            self.region.unlink()

    def _proved(self, stub: stereo_convert_pb2_grpc.StereoConvertServiceStub) -> bytes:
        """The store's id, once both ends have shown that they see the same memory."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        self.region.memory[:NONCE_BYTES] = nonce
        self._stream = stub.ShareFrameStore(iter(self._requests.get, None))
        answer = next(self._stream)
        seen = self.region.memory[NONCE_BYTES : 2 * NONCE_BYTES]
        if answer.client_nonce != nonce or answer.service_nonce != seen:
            raise ConnectionError("the service maps other memory under this name; use chunks")
        return answer.store_id

    def location(self, offset_bytes: int, size_bytes: int) -> frame_pb2.StoreLocation:
        """Name a slot."""
        return frame_pb2.StoreLocation(store_id=self.store_id, offset_bytes=offset_bytes, size_bytes=size_bytes)

    def slot(self, location: frame_pb2.StoreLocation) -> np.ndarray:
        """See a slot as bytes, without copying."""
        return np.frombuffer(self.region.memory, np.uint8, location.size_bytes, location.offset_bytes)

    def write(self, location: frame_pb2.StoreLocation, pixels: np.ndarray) -> None:
        """Copy bytes into a slot."""
        self._copy(self.slot(location), pixels)

    def read(self, location: frame_pb2.StoreLocation, pixels: np.ndarray) -> None:
        """Copy bytes out of a slot."""
        self._copy(pixels, self.slot(location))

    def _copy(self, target: np.ndarray, source: np.ndarray) -> None:
        """Copy in two halves at once: one core alone does not use all of the memory's bandwidth."""
        half = len(source) // 2
        second = self._copier.submit(copy_pixels, target[half : len(source)], source[half:])
        copy_pixels(target[:half], source[:half])
        second.result()

    def close(self) -> None:
        """End the stream; the service unmaps."""
        self._copier.shutdown()
        self._requests.put(None)
        for _ in self._stream:
            pass


class ServiceClient:
    """One process's connection to one service."""

    def __init__(self, target: str, token: str | None = None, tls: grpc.ChannelCredentials | None = None) -> None:
        """Connect to "unix:PATH" or "HOST:PORT"; token and TLS are for the latter.

        "dns:///NAME:PORT" is every service that has the name: calls go to them in turn, and past those that are gone.
        Pixels then travel as chunks: a store is shared with one service.
        """
        options = _IN_TURN if target.startswith(_BY_NAME) else ()
        self._channel = (
            grpc.insecure_channel(target, options) if tls is None else grpc.secure_channel(target, tls, options)
        )
        self.metadata = (("authorization", f"Bearer {token}"),) if token is not None else ()
        self.stub = stereo_convert_pb2_grpc.StereoConvertServiceStub(self._channel)
        self.session_id = secrets.token_bytes(ID_BYTES)

    def __enter__(self) -> ServiceClient:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None):
        self._channel.close()

    def describe(self, timeout_s: float = 5.0) -> stereo_convert_pb2.DescribeResponse:
        """Ask what the service is."""
        return self.stub.Describe(stereo_convert_pb2.DescribeRequest(), timeout=timeout_s, metadata=self.metadata)

    def header(
        self,
        frames: Sequence[bytes],
        frame_format: FrameFormat,
        settings: Settings | None = None,
        *,
        depth: Sequence[bytes] = (),
        depth_format: FrameFormat | None = None,
        **fields: Any,
    ) -> stereo_convert_pb2.WindowHeader:
        """A header whose frames lie nowhere yet; `fields` are further fields of WindowHeader."""
        header = stereo_convert_pb2.WindowHeader(
            session_id=self.session_id,
            request_id=secrets.token_bytes(ID_BYTES),
            contract_version=CONTRACT_VERSION,
            settings=settings_to_wire(settings or Settings()),
            frames=[_reference(frame, frame_format) for frame in frames],
            depth=[_reference(frame, depth_format or frame_format) for frame in depth],
        )
        header.MergeFrom(stereo_convert_pb2.WindowHeader(**fields))
        return header

    def convert(
        self,
        header: stereo_convert_pb2.WindowHeader,
        frames: Sequence[bytes] = (),
        read: Callable[[stereo_convert_pb2.ResultFrame], None] | None = None,
        timeout_s: float = 120.0,
    ) -> ConvertedWindow:
        """Convert a window.

        frames  pixels of header.frames and then header.depth, sent where the service asks for them
        read    takes a result out of its slot, before the slot is given back

        Raises grpc.RpcError with the code and message of the service.
        """
        references = [*header.frames, *header.depth]
        by_key = {reference.content_key: frame for frame, reference in zip(frames, references, strict=False)}
        requests: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
        requests.put(Request(header=header))
        responses = self.stub.ConvertWindow(iter(requests.get, None), timeout=timeout_s, metadata=self.metadata)
        window = ConvertedWindow()
        try:
            for response in responses:
                kind = response.WhichOneof("message")
                if kind == "frames_needed":
                    for chunk in _chunks(response.frames_needed.content_keys, by_key):
                        requests.put(Request(chunk=chunk))
                elif kind == "result" and response.result.HasField("location"):
                    assert read is not None, "results come in slots only when the header offers some"
                    read(response.result)
                    requests.put(Request(release_slot=response.result.location))
                else:
                    _take(window, response)
        finally:
            requests.put(None)
        return window


def content_key(pixels: bytes | memoryview, frame_format: frame_pb2.PixelFormat) -> bytes:
    """16 bytes that name pixels and their format."""
    digest = xxhash.xxh3_128(frame_format.SerializeToString(deterministic=True))
    digest.update(pixels)
    return digest.digest()


def _reference(pixels: bytes, frame_format: FrameFormat) -> frame_pb2.FrameReference:
    wire = format_to_wire(frame_format)
    return frame_pb2.FrameReference(content_key=content_key(pixels, wire), format=wire)


def _chunks(keys: Sequence[bytes], by_key: dict[bytes, bytes]) -> Iterator[frame_pb2.FrameChunk]:
    for key in keys:
        pixels = memoryview(by_key[key])
        for offset in range(0, len(pixels), CHUNK_BYTES):
            data = bytes(pixels[offset : offset + CHUNK_BYTES])
            yield frame_pb2.FrameChunk(content_key=key, offset_bytes=offset, data=data)


def _take(window: ConvertedWindow, response: Response) -> None:
    kind = response.WhichOneof("message")
    if kind == "progress":
        window.progress.append(response.progress)
    elif kind == "summary":
        window.summary = response.summary
    elif kind == "result":
        window.format = format_from_wire(response.result.format, "result.format", MAX_SIDE_PX, MAX_SIDE_PX)
        window.frames[response.result.index] = memoryview(np.empty(window.format.frame_bytes, np.uint8).data)
    elif kind == "chunk":
        pixels = memoryview(window.frames[next(reversed(window.frames))])
        end = response.chunk.offset_bytes + len(response.chunk.data)
        pixels[response.chunk.offset_bytes : end] = response.chunk.data


def slot_offsets(count: int, slot_bytes: int) -> tuple[list[int], int]:
    """Offsets of `count` equal slots in a store, and the size of that store."""
    step = -(-slot_bytes // SLOT_ALIGNMENT_BYTES) * SLOT_ALIGNMENT_BYTES
    return [RESERVED_BYTES + index * step for index in range(count)], max(8192, RESERVED_BYTES + count * step)
