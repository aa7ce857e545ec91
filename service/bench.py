"""`python -m service bench transport`: what it costs to move a frame, as a multiple of copying it once in memory."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from model.settings import Settings
from service.client import ServiceClient, SharedStore, slot_offsets
from service.local_service import LocalService
from service.wire.frame_wire import FrameFormat

WIDTH_PX, HEIGHT_PX = 1920, 1080
BAR = 4.0
"""Shared memory, there and back, in copies of the same bytes."""

WARM_UPS = 5


def bench_transport(repeat: int) -> int:
    """Measure both transports against memcpy with a service of our own; 1 when shared memory misses the bar."""
    frame_format = FrameFormat(WIDTH_PX, HEIGHT_PX, np.dtype("<f4"), 4)
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalService(Path(folder), "--no-warm-up") as service,
        ServiceClient(f"unix:{service.socket}") as client,
    ):
        times = _measure(client, frame_format, repeat)
    unit = times["memcpy"]
    print(f"one {frame_format} frame, {frame_format.frame_bytes / 1e6:.1f} MB, there and back, output=left")
    print(f"{'':14} {'median ms':>10} {'x memcpy':>9} {'best ms':>10} {'x memcpy':>9}")
    for name, measured in times.items():
        median, best = statistics.median(measured), min(measured)
        times_memcpy = median / statistics.median(unit), best / min(unit)
        print(f"{name:14} {1e3 * median:10.2f} {times_memcpy[0]:9.2f} {1e3 * best:10.2f} {times_memcpy[1]:9.2f}")
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; bar for shared memory: {BAR:g} x by the medians")
    # By the medians: what a frame usually costs. Of the best times memcpy's is a stroke of luck, far below its median.
    if statistics.median(times["shared memory"]) <= BAR * statistics.median(unit):
        return 0
    print(f"shared memory is above the bar of {BAR:g} x memcpy", file=sys.stderr)
    return 1


def _measure(client: ServiceClient, frame_format: FrameFormat, repeat: int) -> dict[str, list[float]]:
    """Seconds of each run of each way, one way after the other.

    Not in turns: chunks empty the caches, and a memcpy between them is up to half as slow again, which would flatter
    us. The yardstick runs before and after, so that a change of load does not fall on one side alone.
    """
    frame = np.random.default_rng(0).random(frame_format.frame_bytes // 4, np.float32).view(np.uint8)
    target = np.zeros_like(frame)
    before = _time(lambda: np.copyto(target, frame), repeat)
    by_store = _time(_by_store(client, frame, target, frame_format), repeat)
    after = _time(lambda: np.copyto(target, frame), repeat)
    by_chunks = _time(_by_chunks(client, frame, frame_format), repeat)
    return {"memcpy": before + after, "shared memory": by_store, "chunks": by_chunks}


def _by_store(
    client: ServiceClient, frame: np.ndarray, target: np.ndarray, frame_format: FrameFormat
) -> Callable[[], None]:
    """Write the frame into a warm slot, have it returned in another, and copy that out."""
    size = frame_format.frame_bytes
    (source_at, result_at), store_bytes = slot_offsets(2, size)
    store = SharedStore(client.stub, store_bytes)
    source, result = store.location(source_at, size), store.location(result_at, size)
    header = client.header([frame.tobytes()], frame_format, Settings(output="left", window=1))
    header.frames[0].location.CopyFrom(source)
    header.output_slots.append(result)

    def there_and_back() -> None:
        store.write(source, frame)
        client.convert(header, read=lambda answer: store.read(answer.location, target))

    there_and_back()
    assert np.array_equal(frame, target), "the left eye must come back bit for bit"
    return there_and_back


def _by_chunks(client: ServiceClient, frame: np.ndarray, frame_format: FrameFormat) -> Callable[[], None]:
    """Send the frame as chunks, a fresh session each time so that the service has it in no cache."""
    pixels = frame.tobytes()
    header = client.header([pixels], frame_format, Settings(output="left", window=1))
    sessions = iter(range(1, 1 << 30))

    def there_and_back() -> None:
        header.session_id = next(sessions).to_bytes(16, "big")
        window = client.convert(header, [pixels])
        assert len(window.frames[0]) == len(pixels)

    return there_and_back


def _time(action: Callable[[], object], repeat: int) -> list[float]:
    """Seconds of each of `repeat` runs, after some that warm up."""
    times = []
    for _ in range(WARM_UPS + repeat):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return times[WARM_UPS:]
