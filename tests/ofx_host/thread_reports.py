"""`python -m tests.ofx_host.thread_reports PLUGIN REPORT...`: those reports of ThreadSanitizer that accuse our code.

gRPC, protobuf and Python are not instrumented, so how they hand data from thread to thread is not seen and most reports
are about them. One counts when the innermost frame of the plugin in one of its two accesses is ours. GCC 12 does not
know pthread_mutex_clocklock either, so what it says of mutexes is left out. Exit code 1: there are some.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ACCESS = re.compile(r"^  (?:Previous |)(?:atomic |)(?:read|write) of size", re.IGNORECASE)
FRAME = re.compile(r"#\d+ .*\(([^()]+)\+(0x[0-9a-f]+)\)")
OURS = re.compile(r"^(?:\w+ )*(?:stereo_convert|stereoconvert)::")


def accusing(text: str, plugin: Path) -> list[str]:
    """The races of a report file whose innermost plugin frame is ours, each led by the functions' names."""
    races = [part for part in text.split("=" * 18) if "WARNING: ThreadSanitizer: data race" in part]
    frames = [innermost_frames(race, plugin.name) for race in races]
    names = function_names(sorted({address for found in frames for address in found}), plugin)
    accused = []
    for race, found in zip(races, frames, strict=True):
        functions = [names[address] for address in found]
        if any(OURS.match(function) for function in functions):
            accused.append(f"{' / '.join(functions)}\n{race}")
    return accused


def innermost_frames(race: str, library: str) -> list[str]:
    """Address of the first frame within `library` of each access."""
    addresses, looking = [], False
    for line in race.splitlines():
        if ACCESS.match(line):
            looking = True
        elif not line.strip():
            looking = False
        elif looking and (frame := FRAME.search(line)) and Path(frame[1]).name == library:
            addresses.append(frame[2])
            looking = False
    return addresses


def function_names(addresses: list[str], plugin: Path) -> dict[str, str]:
    """Names by address, from the plugin's symbols."""
    if not addresses:
        return {}
    command = ["addr2line", "-f", "-C", "-e", str(plugin), *addresses]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return dict(zip(addresses, lines[::2], strict=True))


def main(plugin: Path, reports: list[Path]) -> int:
    """Print what accuses us."""
    found = [race for report in reports for race in accusing(report.read_text(), plugin)]
    print("\n".join(found) or f"thread reports: none of {len(reports)} files accuses the plugin's own code")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]]))
