"""Batches under random faults: `python -m tests.service.chaos --faults 200`, or `make chaos`.

A batch runs against a service until all of its frames are there; meanwhile both are killed, stopped and cut apart, and
the disk fills up. Every frame must come out once, with the bits of an undisturbed run. The count is printed.
"""

from __future__ import annotations

import argparse
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tests.service.chaos_batch import main as convert_batch
from tests.service.cut_socket import CutSocket

FRAMES = 40
"""In one batch."""

LONGEST_PAUSE_S = 0.6
STUCK_S = 120.0


class Kept:
    """A process that is started again whenever it is gone, until it ends well."""

    def __init__(self, *command: str, log: Path) -> None:
        self._command = command
        self._log = log.open("ab")
        self.starts = 0
        self.start()

    def start(self) -> None:
        """Start it, again."""
        self.starts += 1
        self.process = subprocess.Popen(
            [sys.executable, *self._command], stdin=subprocess.DEVNULL, stderr=self._log, stdout=self._log
        )

    def revive(self) -> bool:
        """Start it again if it was killed; False when it has ended well.

        Raises RuntimeError when it failed by itself.
        """
        code = self.process.poll()
        if code == -signal.SIGKILL:
            self.start()
        elif code is not None and code != 0:
            raise RuntimeError(f"{self._command[1]} ended with {code}; see {self._log.name}")
        return code != 0

    def kill(self) -> None:
        """kill -9, and bury it."""
        self.process.kill()
        self.process.wait()

    def pause(self, seconds: float) -> None:
        """SIGSTOP, and on again."""
        self.process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        self.process.send_signal(signal.SIGCONT)

    def without_disk(self, seconds: float) -> None:
        """No byte can be written to a file for a while: what a full disk or quota does, without mounting one."""
        limits = resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (0, limits[1]))
        time.sleep(seconds)
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, limits)


class Chaos:
    """One service, one batch after the other, and the faults between them."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder = folder
        self._chance = random.Random(seed)
        self._socket = folder / "service.sock"
        self._way = CutSocket(folder / "way.sock", self._socket)
        self.service = Kept(
            "-m", "service", "serve", "--socket", str(self._socket), "--drain", "1", log=folder / "service.log"
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
        faults: dict[str, Callable[[], object]] = {
            "kill -9 service": self.service.kill,
            "kill -9 client": batch.kill,
            "SIGSTOP service": lambda: self.service.pause(seconds),
            "SIGSTOP client": lambda: batch.pause(seconds),
            "socket cut": self._way.cut,
            "disk full": lambda: batch.without_disk(seconds),
        }
        name = self._chance.choices(list(faults), weights=(1, 2, 3, 3, 5, 3))[0]
        try:
            faults[name]()
        except ProcessLookupError:  # it ended just before
            return name
        self.faults[name] += 1
        return name


def _files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.raw")}


def main() -> int:
    """Run, and print the count; what went wrong raises."""
    parser = argparse.ArgumentParser(description="batches under random faults")
    parser.add_argument("--faults", type=int, default=200, metavar="N", help="how many at least (200)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="of the order of faults (1)")
    flags = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        chaos = Chaos(Path(folder), flags.seed)
        try:
            chaos.run(flags.faults)
        finally:
            chaos.close()
    for name, count in sorted(chaos.faults.items()):
        print(f"{count:5d}  {name}")
    print(
        f"{chaos.faults.total()} faults in {chaos.batches} batches; {chaos.frames} frames right, each once, none black"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
