"""Many clients on one service: `python -m tests.service.load --seconds 600`.

Twenty clients with their own sizes and settings, two of them slow and one hostile, against a service in a process of
its own that may remember nothing. Every answer must equal the answer to a client that is alone; the shares of the
device and the memory of the service are measured.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import numpy as np

from model.settings import Settings
from service.client import Request, ServiceClient
from service.frame_wire import FrameFormat
from service.local_service import LocalService

CLIENTS = 20
SLOW, HOSTILE = (17, 18), 19
"""Numbers of the clients that are not like the others."""

SIZES = ((64, 48), (96, 64), (128, 72), (160, 96))
FORMATS = ("u1", "<u2", "<f2", "<f4")
NOT_DEVICE = {"transport", "queue"}
SAMPLE_S = 0.5


@dataclass
class Share:
    """What one client got."""

    windows: int = 0
    refusals: int = 0
    device_s: float = 0.0
    wrong: list[str] = field(default_factory=list)


class Client:
    """One of the twenty; its own window, over and over."""

    def __init__(self, number: int, target: str) -> None:
        width, height = SIZES[number % len(SIZES)]
        self.number = number
        self.share = Share()
        self._format = FrameFormat(width, height, np.dtype(FORMATS[number % 3]), 4 if number % 2 else 3)
        self._settings = Settings(
            engine=("stretch", "none")[number % 2], disparity=1.0 + number % 5, convergence=number % 3 / 2
        )
        values = np.random.default_rng(number).random((3, height, width, self._format.channels))
        scale = np.iinfo(self._format.dtype).max if self._format.is_integer else 1.0
        self._frames = [(frame * scale).astype(self._format.dtype).tobytes() for frame in values]
        self._client = ServiceClient(target)
        self._expected = self._convert()

    def _convert(self) -> dict[int, bytes]:
        header = self._client.header(self._frames, self._format, self._settings, wanted=[1])
        window = self._client.convert(header, self._frames)
        assert window.summary is not None
        self.share.device_s += sum(s.seconds for s in window.summary.stage_times if s.stage not in NOT_DEVICE)
        return {index: bytes(pixels) for index, pixels in window.frames.items()}

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
            if self.number in SLOW:
                time.sleep(0.5)

    def _refused(self, error: grpc.RpcError) -> None:
        assert isinstance(error, grpc.Call)
        if error.code() is not grpc.StatusCode.RESOURCE_EXHAUSTED:
            self.share.wrong.append(f"client {self.number}: {error.code()} {error.details()}")
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


@dataclass
class LoadResult:
    """What was seen."""

    shares: list[Share]
    resident_mib: list[float]

    @property
    def wrong(self) -> list[str]:
        """Sentences about answers that were not right."""
        return [text for share in self.shares for text in share.wrong]

    @property
    def unfairness(self) -> float:
        """How far the least and the most served of the equal clients lie from their mean device time, as a share."""
        device_s = [share.device_s for share in self.shares[: SLOW[0]]]
        mean = statistics.fmean(device_s)
        return max(abs(seconds - mean) for seconds in device_s) / mean

    @property
    def one_window(self) -> float:
        """The longest window as a share of the mean device time: no queue can be fairer than that."""
        equal = self.shares[: SLOW[0]]
        return max(s.device_s / max(1, s.windows) for s in equal) / statistics.fmean(s.device_s for s in equal)

    @property
    def growth(self) -> float:
        """Memory of the last quarter against that of the second, as a share."""
        quarter = len(self.resident_mib) // 4
        before, after = (statistics.median(self.resident_mib[k * quarter : (k + 1) * quarter]) for k in (1, 3))
        return after / before - 1.0


def run_load(seconds: float) -> LoadResult:
    """Let all clients work for so long."""
    with tempfile.TemporaryDirectory(prefix="load-") as folder, LocalService(
        Path(folder), "--depth-cache", "0", "--result-cache", "0"
    ) as service:  # fmt: skip
        clients = [Client(number, f"unix:{service.socket}") for number in range(CLIENTS)]
        until = time.monotonic() + seconds
        threads = [
            threading.Thread(target=client.annoy if client.number == HOSTILE else client.work, args=(until,))
            for client in clients
        ]
        for thread in threads:
            thread.start()
        resident_mib = []
        while any(thread.is_alive() for thread in threads):
            resident_mib.append(_resident_mib(service.process.pid))
            time.sleep(SAMPLE_S)
        return LoadResult([client.share for client in clients], resident_mib)


def _resident_mib(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> int:
    """Run, and print what was seen; 1 when an answer was wrong."""
    parser = argparse.ArgumentParser(description="twenty clients on one service")
    parser.add_argument("--seconds", type=float, default=600.0, metavar="S", help="how long (600)")
    flags = parser.parse_args()
    result = run_load(flags.seconds)
    equal, slow = result.shares[: SLOW[0]], [result.shares[number] for number in SLOW]
    print(f"{CLIENTS} clients for {flags.seconds:g} s; load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(
        f"equal clients   {sum(s.windows for s in equal)} windows, {sum(s.refusals for s in equal)} told to come back"
    )
    print(f"                device time {statistics.fmean(s.device_s for s in equal):.2f} s each, "
          f"at most {100 * result.unfairness:.1f} % off")  # fmt: skip
    print(f"slow clients    {sum(s.windows for s in slow)} windows")
    print(f"hostile client  {result.shares[HOSTILE].windows} attempts")
    print(f"memory          {result.resident_mib[-1]:.0f} MiB, {100 * result.growth:+.1f} % since the second quarter")
    print(*(result.wrong or ["every answer equals the answer to a client that is alone"]), sep="\n")
    return 1 if result.wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
