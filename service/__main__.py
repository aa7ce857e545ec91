"""`python -m service VERB`: serve, describe, doctor, models, render, bench."""

from __future__ import annotations

import os
import sys

from model.errors import StereoError
from model.onednn import keep_few_operations
from service.command_line import parse_command

EXIT_FAILED = 1

SPIN_COUNT = ("GOMP_SPINCOUNT", "3000")
"""Torch's threads spin for microseconds while they wait for each other, then sleep. Spinning long, as is the default,
they take the cores from the host and from the very thread that they wait for; always asleep, they are slower on idle
cores: docs/results/load.md. GNU's OpenMP reads it once, when torch loads it."""


def main(arguments: list[str] | None = None) -> int:
    """Run one verb; 0 is success, 1 a failure with a message, 2 a wrong command line."""
    if "OMP_WAIT_POLICY" not in os.environ:  # who has set that knows better
        os.environ.setdefault(*SPIN_COUNT)
    keep_few_operations()
    command = parse_command(sys.argv[1:] if arguments is None else arguments)
    try:
        return command()
    except (StereoError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_FAILED
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    raise SystemExit(main())
