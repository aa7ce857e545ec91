"""What a second worker of a Ray cluster brings: windows a second with one and with two, in turns.

    python -m tests.service.cluster.throughput --windows 12 --runs 3

Each worker has one thread. Both are there all the time; with one window under way at a time the other one rests.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from model.settings import Settings
from service.stereo_model import WindowInput
from tests.service.ray_head import RayHead

if TYPE_CHECKING:
    from service.cluster.cluster_model import ClusterModel

WORKERS = 2
DEVICE = "cluster"


def make_window(number: int) -> WindowInput:
    """One frame of 640x360 with steps of depth, filled by the shipped network."""
    frames = np.random.default_rng(number).random((1, 3, 360, 640), np.float32)
    ramp = np.broadcast_to((np.linspace(0, 7, 640, dtype=np.float32) % 1), (1, 1, 360, 640)).copy()
    return WindowInput(frames, ramp, Settings(window=1, depth_source="clip"), number, (0,), "lite", "")


@dataclass(frozen=True)
class Measured:
    """Windows a second of wall time, and CPU seconds of all workers a window, which other programs change little."""

    per_second: float
    cpu_s: float


def main() -> int:
    """Print windows a second with one and two workers, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--windows", type=int, default=12, metavar="N", help="of each measurement (12)")
    parser.add_argument("--runs", type=int, default=3, metavar="N", help="of each (3)")
    flags = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    windows = [make_window(number) for number in range(flags.windows)]
    found: dict[int, list[Measured]] = {1: [], WORKERS: []}
    with RayHead() as head:
        from service.cluster.cluster_model import ClusterModel

        model = ClusterModel(head.address)
        try:
            while model.lanes() < WORKERS:
                time.sleep(0.1)
            _measure(head, model, windows[:WORKERS], WORKERS)  # a first window is slower
            for _ in range(flags.runs):
                for workers in found:
                    found[workers].append(_measure(head, model, windows, workers))
        finally:
            model.close()
    _report(found)
    return 0


def _measure(head: RayHead, model: ClusterModel, windows: list[WindowInput], workers: int) -> Measured:
    cpu_before, start = _cpu_s(head), time.monotonic()
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(lambda window: model.convert(window, DEVICE, lambda stage, fraction: None), windows))
    wall_s = time.monotonic() - start
    return Measured(len(windows) / wall_s, (_cpu_s(head) - cpu_before) / len(windows))


def _cpu_s(head: RayHead) -> float:
    return sum(times.user + times.system for times in (worker.cpu_times() for worker in head.workers()))


def _report(found: dict[int, list[Measured]]) -> None:
    for workers, runs in found.items():
        speed, cpu_s = (statistics.median(getattr(run, name) for run in runs) for name in ("per_second", "cpu_s"))
        print(f"{workers} at work   {speed:.3f} windows/s   {cpu_s:.2f} CPU s a window")
    pairs = list(zip(*found.values(), strict=True))
    by_wall = [two.per_second / one.per_second for one, two in pairs]
    by_cpu = [WORKERS * one.cpu_s / two.cpu_s for one, two in pairs]
    for name, ratios in (("measured", by_wall), ("by CPU time, as with a core for each", by_cpu)):
        print(f"ratio {statistics.median(ratios):.2f} {name} ({', '.join(f'{ratio:.2f}' for ratio in ratios)})")
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    sys.exit(main())
