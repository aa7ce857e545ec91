"""What a second worker of a Ray cluster brings to `python -m service render`: one clip by one worker, then by two.

    python -m tests.service.cluster.render_throughput CLIP --runs 2

Each worker has one thread. The time is what the render tells: from its first window, which loads the models, on.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.service.ray_head import RayHead

WORKERS = (1, 2)


def main() -> int:
    """Print frames a second with one and two workers, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--window", type=int, default=17, metavar="N", help="frames of a window (17)")
    parser.add_argument("--runs", type=int, default=2, metavar="N", help="of each (2)")
    flags = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    found = {
        workers: [frames_per_second(flags.clip, flags.window, workers) for _ in range(flags.runs)]
        for workers in WORKERS
    }
    one, two = (statistics.median(found[workers]) for workers in WORKERS)
    for workers in WORKERS:
        print(f"{workers} at work   " + ", ".join(f"{speed:.2f}" for speed in found[workers]) + " frames/s")
    print(f"ratio {two / one:.2f} of medians; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    return 0


def frames_per_second(clip: Path, window: int, workers: int) -> float:
    """Render the whole clip on a cluster with so many workers. Raises RuntimeError when the render fails."""
    with RayHead(workers) as head, tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "service", "render", str(clip), "-o", str(Path(folder) / "right.mp4"),
                   "--cluster", head.address, "--set", f"window={window}"]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True)
    told = re.search(r"([\d.]+) frames/s on", done.stdout)
    if done.returncode or told is None:
        raise RuntimeError(f"the render ended with {done.returncode}: {done.stderr or done.stdout}")
    return float(told.group(1))


if __name__ == "__main__":
    sys.exit(main())
