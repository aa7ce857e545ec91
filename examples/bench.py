"""`make bench`: how fast this machine is at transport, warp and the whole demo; `--write FILE` keeps it as Markdown."""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

BENCHES = {
    "Transport, one 1080p float RGBA frame there and back": ["service", "bench", "transport"],
    "Warp": ["model.warp.bench", "--full", "--pairs", "examples"],
    "Host: the plugin's own time for a frame, and what an artist waits for": ["tests.ofx_host.bench"],
    "The demo, through plugin and service": ["examples.demo"],
}


def main() -> int:
    """Run every bench, print its table, and return 1 if one failed."""
    parser = argparse.ArgumentParser(prog="python -m examples.bench", description=__doc__)
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the results as Markdown, too")
    arguments = parser.parse_args()
    sections, failed = [], False
    for title, module in BENCHES.items():
        print(f"## {title}", flush=True)
        done = subprocess.run([sys.executable, "-m", *module], stdout=subprocess.PIPE)
        shown = without_progress(done.stdout.decode())  # as text its carriage returns would become new lines
        if done.returncode != 0:
            shown += "\nMissed its bar, or failed."
            failed = True
        print(shown, flush=True)
        sections.append(f"## {title}\n\n`python -m {' '.join(module)}`\n\n```\n{shown}\n```\n")
    if arguments.write:
        arguments.write.parent.mkdir(parents=True, exist_ok=True)
        arguments.write.write_text("\n".join([f"# Speeds\n\n{_machine()}\n", *sections]))
        print(f"written: {arguments.write}")
    return int(failed)


def without_progress(text: str) -> str:
    """Of a line that a progress bar wrote over and over, only the last state."""
    return "\n".join(line.rsplit("\r", 1)[-1] for line in text.rstrip().split("\n"))


def _machine() -> str:
    """One sentence: processor, cores, system, day."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    processor = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")
    day = datetime.now(UTC).date().isoformat()
    return f"{processor or platform.processor()}, {os.cpu_count()} cores, {platform.system()}; {day}."


if __name__ == "__main__":
    sys.exit(main())
