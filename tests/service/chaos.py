"""Batches under random faults: `python -m tests.service.chaos --faults 200`, or `make chaos`.

A batch runs against a service until all of its frames are there; meanwhile both are killed, stopped and cut apart,
their clocks jump, their disks fill up and get slow; with `--ray`, workers of a cluster behind it are killed too.
Every frame must come out once, with the bits of an undisturbed run. The count is printed.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import psutil

from tests.service.chaos_batch import main as convert_batch
from tests.service.cut_socket import CutSocket
from tests.service.kept_process import Kept
from tests.service.ray_head import RayHead

FRAMES = 40
"""In one batch."""

LONGEST_PAUSE_S = 0.6
SLOW_WRITE_S = 0.3
STUCK_S = 300.0
CLOCK_JUMPS_S = (-31_536_000, -86_400, -60, -1, 0, 1, 60, 86_400, 31_536_000)


class Chaos:
    """One service, one batch after the other, and the faults between them."""

    def __init__(self, folder: Path, seed: int, ray: RayHead | None = None) -> None:
        """`ray` is the cluster whose workers the service uses instead of its own device."""
        self._folder = folder
        self._chance = random.Random(seed)
        self._ray = ray
        self._socket = folder / "service.sock"
        self._way = CutSocket(folder / "way.sock", self._socket)
        workers = () if ray is None else ("--cluster", ray.address)
        self.service = Kept(
            "-m", "service", "serve", "--socket", str(self._socket), "--drain", "1", *workers,
            log=folder / "service.log",
        )  # fmt: skip
        self.faults: Counter[str] = Counter()
        self.batches = self.frames = 0

    def expected(self) -> dict[str, bytes]:
        """The frames of an undisturbed batch."""
        folder = self._folder / "expected"
        folder.mkdir()
        convert_batch(str(self._socket), folder, FRAMES)
        frames = _files(folder)
        assert len(frames) == FRAMES and all(any(pixels) for pixels in frames.values()), "the measure itself is wrong"
        return frames

    def run(self, faults: int) -> None:
        """Whole batches until so many faults have happened. Raises AssertionError for a frame that is not right."""
        expected = self.expected()
        while self.faults.total() < faults:
            folder = self._folder / f"batch{self.batches}"
            folder.mkdir()
            self._disturbed_batch(folder)
            assert _files(folder) == expected, f"{folder} differs from the undisturbed batch"
            self.batches += 1
            self.frames += FRAMES

    def close(self) -> None:
        """Leave nothing running."""
        self._way.close()
        self.service.kill()

    def _disturbed_batch(self, folder: Path) -> None:
        command = ("-m", "tests.service.chaos_batch", str(self._folder / "way.sock"), str(folder), str(FRAMES))
        batch = Kept(*command, log=self._folder / "batch.log")
        began, progress = time.monotonic(), 0
        may_kill = False  # a service that is killed while it loads, again and again, would never serve
        try:
            while batch.revive():
                self.service.revive()
                time.sleep(self._chance.uniform(0.0, LONGEST_PAUSE_S))
                if len(_files(folder)) > progress:
                    began, progress, may_kill = time.monotonic(), len(_files(folder)), True
                assert time.monotonic() - began < STUCK_S, f"no frame for {STUCK_S:g} s; see {self._folder}"
                if batch.process.poll() is None and may_kill:
                    may_kill = self._fault(batch) != "kill -9 service"
        finally:
            batch.kill()

    def _fault(self, batch: Kept) -> str:
        """Let one thing happen; return what."""
        seconds = self._chance.uniform(0.05, LONGEST_PAUSE_S)
        either = self._chance.choice((self.service, batch))
        faults: dict[str, tuple[int, Callable[[], object]]] = {  # how often, and how
            "kill -9 service": (1, self.service.kill),
            "kill -9 client": (2, batch.kill),
            "SIGSTOP service": (3, lambda: self.service.pause(seconds)),
            "SIGSTOP client": (3, lambda: batch.pause(seconds)),
            "socket cut": (5, self._way.cut),
            "disk full": (3, lambda: batch.without_disk(seconds)),
            "disk slow": (3, lambda: either.with_slow_disk(seconds, SLOW_WRITE_S)),
            "clock jump": (4, lambda: either.jump_clock(self._chance.choice(CLOCK_JUMPS_S))),
        }
        if self._ray is not None:
            faults["kill -9 Ray worker"] = (6, self._kill_worker)
        name = self._chance.choices(list(faults), weights=[often for often, _ in faults.values()])[0]
        try:
            faults[name][1]()
        except (ProcessLookupError, psutil.NoSuchProcess):  # it ended just before
            return name
        self.faults[name] += 1
        return name

    def _kill_worker(self) -> None:
        assert self._ray is not None
        workers = self._ray.workers()
        if not workers:  # the last one was killed a moment ago
            raise ProcessLookupError
        self._chance.choice(workers).kill()


def _files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.raw")}


def main() -> int:
    """Run, and print the count; what went wrong raises."""
    parser = argparse.ArgumentParser(description="batches under random faults")
    parser.add_argument("--faults", type=int, default=200, metavar="N", help="how many at least (200)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="of the order of faults (1)")
    parser.add_argument("--ray", action="store_true", help="with a Ray cluster of this machine (needs [cluster])")
    flags = parser.parse_args()
    head = RayHead() if flags.ray else nullcontext()
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder, head as ray:
        chaos = Chaos(Path(folder), flags.seed, ray)
        try:
            chaos.run(flags.faults)
        finally:
            chaos.close()
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for name, count in sorted(chaos.faults.items()):
        print(f"{count:5d}  {name}")
    print(
        f"{chaos.faults.total()} faults in {chaos.batches} batches; {chaos.frames} frames right, each once, none black"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
