"""`python -m tests.ofx_host.thread_reports PLUGIN REPORT...`: those reports of ThreadSanitizer that accuse our code.

gRPC, protobuf, OpenSSL and Python are not instrumented, so how they hand data from thread to thread is not seen and
most reports are about them. A report counts when in all of its stacks that tell what was done within the plugin, the
innermost frame that is not the C++ library's is ours: no thread of gRPC touches data of ours, so what races with one is
gRPC's, even where we let it go. Exit code 1: there are some.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

WARNING = "WARNING: ThreadSanitizer: "
DEED = re.compile(
    r"^(?:WARNING: ThreadSanitizer: (?!data race)|  (?:Previous |)(?:atomic |)(?:read|write) of size)", re.I
)
FRAME = re.compile(r"#\d+ .*\(([^()]+)\+(0x[0-9a-f]+)\)")
OURS = re.compile(r"^(?:\w+ )*(?:stereo_convert|stereoconvert)::")
STANDARD = re.compile(r"^(?:[\w:<>*& ]+ )?(?:std::|__gthread|__gnu|operator (?:new|delete))")


def accusing(text: str, plugin: Path) -> list[str]:
    """The reports of a file that are about our code, each led by the functions' names."""
    reports = [part for part in text.split("=" * 18) if WARNING in part]
    stacks = [deeds(report, plugin.name) for report in reports]
    names = function_names(sorted({address for found in stacks for stack in found for address in stack}), plugin)
    accused = []
    for report, found in zip(reports, stacks, strict=True):
        doers = [innermost([names[address] for address in stack]) for stack in found]
        if doers and all(OURS.match(doer) for doer in doers):
            accused.append(f"{' / '.join(doers)}\n{report}")
    return accused


def deeds(report: str, library: str) -> list[list[str]]:
    """Of each stack that tells what was done: the addresses of its frames within `library`, innermost first."""
    stacks: list[list[str]] = []
    looking = False
    for line in report.splitlines():
        if DEED.match(line):
            looking = True
            stacks.append([])
        elif not line.strip():
            looking = False
        elif looking and (frame := FRAME.search(line)) and Path(frame[1]).name == library:
            stacks[-1].append(frame[2])
    return stacks


def innermost(functions: list[str]) -> str:
    """The first function that is not the C++ library's; empty if there is none."""
    return next((function for function in functions if not STANDARD.match(function)), "")


def function_names(addresses: list[str], plugin: Path) -> dict[str, str]:
    """Names by address, from the plugin's symbols."""
    if not addresses:
        return {}
    command = ["addr2line", "-f", "-C", "-e", str(plugin), *addresses]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return dict(zip(addresses, lines[::2], strict=True))


def main(plugin: Path, reports: list[Path]) -> int:
    """Print what accuses us."""
    texts = [report.read_text() for report in reports]
    found = [report for text in texts for report in accusing(text, plugin)]
    total = sum(text.count(WARNING) for text in texts)
    print("\n".join(found) or f"thread reports: none of {total} accuses the plugin's own code")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]]))
