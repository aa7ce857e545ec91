"""How many frames a second the service's model makes on a processor that others use, by how its threads wait.

    python -m tests.service.contention --busy 2 --runs 3

Each figure is a process of its own; the ways take turns, so that a change of load falls on all of them.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from collections import defaultdict

POLICIES = {
    "spin (default)": {},
    "OMP_WAIT_POLICY=PASSIVE": {"OMP_WAIT_POLICY": "PASSIVE"},
    "GOMP_SPINCOUNT=3000": {"GOMP_SPINCOUNT": "3000"},
    "GOMP_SPINCOUNT=30000": {"GOMP_SPINCOUNT": "30000"},
    "one thread": {"OMP_NUM_THREADS": "1"},
}
_MEASURED = """
import time
import numpy as np
from model.settings import Settings
from service.stereo_model import WindowInput
from service.torch_model import TorchModel
model, frames = TorchModel(), np.random.default_rng(0).random((1, 3, 360, 640), np.float32)
ramp = np.linspace(0, 1, 640, dtype=np.float32).reshape(1, 1, 1, 640) * np.ones((1, 1, 360, 1), np.float32)
window = WindowInput(frames, (ramp * 7) % 1, Settings(window=1, depth_source="clip"), 0, (0,), "lite", "")
model.convert(window, "cpu", lambda stage, fraction: None)
start, count = time.monotonic(), 0
while time.monotonic() - start < SECONDS:
    model.convert(window, "cpu", lambda stage, fraction: None)
    count += 1
print(count / (time.monotonic() - start))
"""
_BUSY = "while True: pass"


def frames_per_second(environment: dict[str, str], busy: int, seconds: float) -> float:
    """Measure one process with this environment beside `busy` loops of other processes."""
    others = [subprocess.Popen([sys.executable, "-c", _BUSY]) for _ in range(busy)]
    try:
        plain = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "GOMP_"))}
        code = _MEASURED.replace("SECONDS", str(seconds))
        done = subprocess.run(
            [sys.executable, "-c", code], env={**plain, **environment}, capture_output=True, text=True
        )
        if done.returncode:
            raise RuntimeError(done.stderr[-2000:])
        return float(done.stdout)
    finally:
        for other in others:
            other.kill()
            other.wait()


def main() -> int:
    """Print the median and the best of all runs for each way, alone and beside busy loops."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--busy", type=int, default=2, metavar="N", help="busy loops beside it (2)")
    parser.add_argument("--runs", type=int, default=3, metavar="N", help="of each (3)")
    parser.add_argument("--seconds", type=float, default=6.0, metavar="S", help="of each run (6)")
    flags = parser.parse_args()
    found: dict[tuple[str, int], list[float]] = defaultdict(list)
    for _ in range(flags.runs):
        for busy in (0, flags.busy):
            for name, environment in POLICIES.items():
                found[name, busy].append(frames_per_second(environment, busy, flags.seconds))
    print(
        f"frames of 640x360 a second, median (best) of {flags.runs}; load {os.getloadavg()[0]:.1f} on {os.cpu_count()}"
    )
    for name in POLICIES:
        told = [
            f"{statistics.median(each):6.2f} ({max(each):.2f})" for each in (found[name, 0], found[name, flags.busy])
        ]
        print(f"{name:26} {told[0]} alone   {told[1]} beside {flags.busy} busy loops")
    return 0


if __name__ == "__main__":
    sys.exit(main())
