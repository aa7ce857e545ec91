"""Many clients on one service: `python -m tests.service.load --seconds 600`.

Twenty clients with sizes and settings of their own, two of them slow and one hostile, against a service in a process of
its own that may remember nothing. Every answer must equal the answer to a client that is alone; the shares of the
device and what the service holds of the machine are measured.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from service.local_service import LocalService
from tests.service.footprint import Footprint, footprint
from tests.service.load_clients import Client, Share

CLIENTS = 20
SLOW, HOSTILE = (17, 18), 19
"""Numbers of the clients that are not like the others."""

SAMPLE_S = 0.5


@dataclass
class LoadResult:
    """What was seen."""

    shares: list[Share]
    held: list[Footprint]

    @property
    def equal(self) -> list[Share]:
        """Of the clients that asked as fast as they could."""
        return self.shares[: SLOW[0]]

    @property
    def wrong(self) -> list[str]:
        """Sentences about answers that were not right."""
        return [text for share in self.shares for text in share.wrong]

    @property
    def unfairness(self) -> float:
        """How far the least and the most served of the equal clients lie from their mean device time, as a share."""
        device_s = [share.device_s for share in self.equal]
        mean = statistics.fmean(device_s)
        return max(abs(seconds - mean) for seconds in device_s) / mean

    @property
    def one_window(self) -> float:
        """The longest window as a share of the mean device time: no queue can be fairer than that."""
        return max(share.longest_s for share in self.equal) / statistics.fmean(share.device_s for share in self.equal)

    @property
    def growth(self) -> float:
        """Memory of the last quarter against that of the second, as a share."""
        before, after = (statistics.median(held.resident_mib for held in self._quarter(k)) for k in (1, 3))
        return after / before - 1.0

    @property
    def more_files(self) -> float:
        """Open files, threads and mapped regions in the last quarter above those in the second."""
        before, after = (
            statistics.median(held.files + held.threads + held.regions for held in self._quarter(k)) for k in (1, 3)
        )
        return after - before

    def _quarter(self, number: int) -> list[Footprint]:
        length = len(self.held) // 4
        return self.held[number * length : (number + 1) * length]


def run_load(seconds: float) -> LoadResult:
    """Let all clients work for so long."""
    with tempfile.TemporaryDirectory(prefix="load-") as folder, LocalService(
        Path(folder), "--depth-cache", "0", "--result-cache", "0"
    ) as service:  # fmt: skip
        clients = [Client(number, f"unix:{service.socket}") for number in range(CLIENTS)]
        for number in SLOW:
            clients[number].become_slow()
        until = time.monotonic() + seconds
        threads = [
            threading.Thread(target=client.annoy if client.number == HOSTILE else client.work, args=(until,))
            for client in clients
        ]
        for thread in threads:
            thread.start()
        held = []
        while any(thread.is_alive() for thread in threads):
            held.append(footprint(service.process.pid))
            time.sleep(SAMPLE_S)
        return LoadResult([client.share for client in clients], held)


def main() -> int:
    """Run, and print what was seen; 1 when an answer was wrong."""
    parser = argparse.ArgumentParser(description="twenty clients on one service")
    parser.add_argument("--seconds", type=float, default=600.0, metavar="S", help="how long (600)")
    flags = parser.parse_args()
    result = run_load(flags.seconds)
    slow, windows = [result.shares[number] for number in SLOW], [share.windows for share in result.equal]
    print(f"{CLIENTS} clients for {flags.seconds:g} s; load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"equal clients   {sum(windows)} windows, {min(windows)} to {max(windows)} each, "
          f"{sum(share.refusals for share in result.equal)} told to come back")  # fmt: skip
    mean_s = statistics.fmean(share.device_s for share in result.equal)
    print(f"                device time {mean_s:.2f} s each, at most {100 * result.unfairness:.1f} % off; "
          f"the longest window is {100 * result.one_window:.1f} %")  # fmt: skip
    print(f"slow clients    {sum(share.windows for share in slow)} windows")
    print(f"hostile client  {result.shares[HOSTILE].windows} attempts")
    print(f"memory          {100 * result.growth:+.1f} % since the second quarter; at the end {result.held[-1]}")
    print(*(result.wrong or ["every answer equals the answer to a client that is alone"]), sep="\n")
    return 1 if result.wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
