"""`python -m service VERB`: serve, describe, doctor, models, render, bench."""

from __future__ import annotations

import sys

from model.errors import StereoError
from service.command_line import parse_command

EXIT_FAILED = 1


def main(arguments: list[str] | None = None) -> int:
    """Run one verb; 0 is success, 1 a failure with a message, 2 a wrong command line."""
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
