"""The twenty of `load`: clients alike, slow ones, and one that means harm."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import grpc
import numpy as np

from model.settings import Settings
from service.client import Request, ServiceClient
from service.wire.frame_wire import FrameFormat
from tests.service.window_calls import ByStore

SIZES = ((64, 48), (96, 64), (160, 96), (256, 144))
FORMATS = ("u1", "<u2", "<f2", "<f4")
ENGINES = ("stretch", "none", "sasi")
OUTPUTS = ("right", "sbs-half", "anaglyph", "tb-full", "disparity")
NOT_DEVICE = {"transport", "queue"}
WINDOW_TIMEOUT_S = 900.0
"""So long that a busy machine does not end a window: this measures answers and shares, not speed."""

SLOW_MESSAGE_S = 0.2
"""How late a slow client sends and reads each message."""


@dataclass
class Share:
    """What one client got."""

    windows: int = 0
    refusals: int = 0
    device_s: float = 0.0
    longest_s: float = 0.0  # of the device, for one window
    wrong: list[str] = field(default_factory=list)


class Client:
    """One of the twenty; its own window, over and over: size, numbers, settings and way to send are its own."""

    def __init__(self, number: int, target: str) -> None:
        width, height = SIZES[number % len(SIZES)]
        self.number = number
        self.share = Share()
        self._format = FrameFormat(width, height, np.dtype(FORMATS[number // 4 % 4]), 4 if number % 2 else 3)
        self._settings = Settings(
            engine=ENGINES[number % 3],
            output=OUTPUTS[number % 5],
            disparity=1.0 + number % 7,
            convergence=number % 3 / 2,
            max_width=640,
        )
        values = np.random.default_rng(number).random((3, height, width, self._format.channels))
        scale = np.iinfo(self._format.dtype).max if self._format.is_integer else 1.0
        self._frames = [(frame * scale).astype(self._format.dtype).tobytes() for frame in values]
        self._client = ServiceClient(target)
        by_store = number % 5 == 0  # their results have the size of the source
        self._store = ByStore(self._client, self._format, len(self._frames), outputs=1) if by_store else None
        self._expected = self._convert()

    def _convert(self) -> dict[int, bytes]:
        results: dict[int, bytes] = {}
        make_header = self._store.header if self._store is not None else self._client.header
        header = make_header(self._frames, self._format, self._settings, wanted=[1])

        def read(result: Any) -> None:
            assert self._store is not None
            results[result.index] = self._store.store.slot(result.location).tobytes()

        window = self._client.convert(header, self._frames, read, WINDOW_TIMEOUT_S)
        assert window.summary is not None
        device_s = sum(s.seconds for s in window.summary.stage_times if s.stage not in NOT_DEVICE)
        self.share.device_s += device_s
        self.share.longest_s = max(self.share.longest_s, device_s)
        return results or {index: bytes(pixels) for index, pixels in window.frames.items()}

    def become_slow(self) -> None:
        """From now on send and read each message late."""
        self._client.stub = _LateStub(self._client.stub)  # pyright: ignore[reportAttributeAccessIssue]

    def work(self, until: float) -> None:
        """Convert until then, and compare."""
        self.share = Share()
        while time.monotonic() < until and not self.share.wrong:
            try:
                if self._convert() != self._expected:
                    self.share.wrong.append(f"client {self.number} got other pixels than alone")
                self.share.windows += 1
            except grpc.RpcError as error:
                self._refused(error)

    def _refused(self, error: grpc.RpcError) -> None:
        assert isinstance(error, grpc.Call)
        if error.code() is not grpc.StatusCode.RESOURCE_EXHAUSTED:
            self.share.wrong.append(f"client {self.number}: {error.code()} {error.details()}")
            return
        metadata: Any = error.trailing_metadata() or ()
        retry_after_ms = next(value for key, value in metadata if key == "retry-after-ms")
        self.share.refusals += 1
        time.sleep(int(retry_after_ms) / 1000)

    def annoy(self, until: float) -> None:
        """Be hostile: garbage, windows that never come, hang-ups in the middle, too many at once."""
        self.share = Share()
        chance = random.Random(self.number)
        garbage = self._client._channel.stream_stream("/stereoconvert.v1.StereoConvertService/ConvertWindow")
        header = self._client.header(self._frames, self._format, self._settings, wanted=[1])
        tricks: list[Callable[[], object]] = [
            lambda: list(garbage(iter([chance.randbytes(200)]), timeout=5)),
            lambda: list(self._client.stub.ConvertWindow(iter([Request(header=header)]), timeout=5)),
            lambda: next(self._client.stub.ConvertWindow(iter([Request(header=header)]), timeout=5)).Clear(),
            lambda: list(self._client.stub.ConvertWindow(iter([Request()] * 50), timeout=5)),
        ]
        while time.monotonic() < until:
            with contextlib.suppress(grpc.RpcError):
                chance.choice(tricks)()
            self.share.windows += 1


class _LateStub:
    def __init__(self, stub: Any) -> None:
        self._stub = stub

    def ConvertWindow(self, requests: Iterable, **more: Any) -> Iterator:  # noqa: N802 - named by the proto
        return _late(self._stub.ConvertWindow(_late(requests), **more))


def _late(messages: Iterable) -> Iterator:
    for message in messages:
        time.sleep(SLOW_MESSAGE_S)
        yield message
