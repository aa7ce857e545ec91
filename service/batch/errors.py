"""What batch adds to the tree of `model.errors`, and the exit code of each kind.

StereoError
├── InvalidInputError
│   └── JobError               the job file is wrong
├── UnreadableError            OSError: a source that is missing, damaged, too short, or has no picture
├── OutputExistsError          FileExistsError: something lies where the output should go
├── BusyError                  RuntimeError: another render is at work on this output
└── WriteError                 OSError: disk full, no permission, no encoder
"""

from __future__ import annotations

import errno
from pathlib import Path

from model.errors import InvalidInputError, StereoError

EXIT_DONE, EXIT_FAILED, EXIT_WRONG_ORDER = 0, 1, 2
EXIT_UNREADABLE, EXIT_EXISTS, EXIT_CANNOT_WRITE, EXIT_SOME_CLIPS_FAILED = 3, 4, 5, 6


class JobError(InvalidInputError):
    """The job file is wrong."""


class UnreadableError(StereoError, OSError):
    """A source that is missing, damaged, too short, or has no picture."""


class OutputExistsError(StereoError, FileExistsError):
    """Something lies where the output should go."""


class BusyError(StereoError, RuntimeError):
    """Another render is at work on this output."""


class WriteError(StereoError, OSError):
    """The output could not be written: disk full, no permission, no encoder."""


# The first row whose type matches wins.
_CODES: tuple[tuple[type[StereoError], int], ...] = (
    (JobError, EXIT_WRONG_ORDER),
    (UnreadableError, EXIT_UNREADABLE),
    (OutputExistsError, EXIT_EXISTS),
    (WriteError, EXIT_CANNOT_WRITE),
)


def exit_code_of(error: Exception) -> int:
    """The exit code that tells a script what kind of failure this was."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), EXIT_FAILED)


def write_error(path: Path, error: OSError) -> WriteError:
    """Say what an OSError means for the output at `path`."""
    if error.errno == errno.ENOSPC:
        reason = "the disk is full; make room and render again: it goes on where it stopped"
    elif error.errno == errno.EFBIG:
        reason = "the file would grow past what is allowed here (ulimit -f); raise it and render again"
    else:
        reason = error.strerror or str(error)
    return WriteError(f"cannot write {path}: {reason}")
