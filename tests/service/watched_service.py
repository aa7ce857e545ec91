"""The service, watched: `python -m tests.service.watched_service FOLDER serve ...`.

FOLDER/outside.txt lists each file that it makes, opens for writing, renames or removes anywhere else. Python tells of
such calls by its audit events; its libraries in C do not, and none of them writes here.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

REPORT, STDERR = "outside.txt", "stderr.txt"
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CHANGING_EVENTS = {
    "os.chmod", "os.chown", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.truncate",
    "os.utime", "socket.bind",
}  # fmt: skip
ALLOWED_DEVICES = ("/dev/null", "/dev/tty")
SHARED_MEMORY = "/memfd:stereo-"
"""What a client shares: a file of memory, opened through /proc, in no folder."""


def changed_paths(event: str, arguments: tuple[Any, ...]) -> list[str]:
    """The files that an audit event is about to change."""
    if event == "open":
        path, _, flags = arguments
        named = [path] if flags & WRITING else []
    elif event == "socket.bind":
        named = [arguments[1]]
    elif event in CHANGING_EVENTS:
        named = [*arguments[:2]]
    else:
        return []
    return [os.fsdecode(path) for path in named if isinstance(path, str | bytes | os.PathLike)]


def watch(folder: Path) -> None:
    """Report from now on, for the life of this process."""
    report = os.open(folder / REPORT, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    inside = os.path.realpath(folder) + os.sep

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        for path in changed_paths(event, arguments):
            real = os.path.realpath(path)
            if not (real + os.sep).startswith((inside, SHARED_MEMORY)) and real not in ALLOWED_DEVICES:
                os.write(report, f"{event} {path}\n".encode(errors="replace"))

    sys.addaudithook(hook)


def main(folder: Path, arguments: list[str]) -> int:
    """Run the service's own command line with all of its default places inside the folder."""
    os.environ.update(
        HOME=str(folder), TMPDIR=str(folder), XDG_RUNTIME_DIR=str(folder), STEREO_CONVERT_RUNTIME_DIR=str(folder)
    )
    sys.dont_write_bytecode = True
    os.dup2(os.open(folder / STDERR, os.O_WRONLY | os.O_CREAT, 0o600), sys.stderr.fileno())
    watch(folder)
    from service.__main__ import main as service_main

    sys.argv[1:] = arguments
    return service_main()


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]), sys.argv[2:]))
