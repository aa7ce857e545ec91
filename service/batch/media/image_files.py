"""Which files a run of images is made of, and what their numbers are."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

from model.errors import InvalidInputError
from service.batch.errors import UnreadableError
from service.batch.media.image_io import READABLE

PATTERN = re.compile(r"%0?\d*d")


def is_pattern(path: Path) -> bool:
    """Whether a name stands for many, as in shot_%04d.exr."""
    return PATTERN.search(path.name) is not None


def files_of(path: Path) -> list[Path]:
    """The images of a pattern, a folder or one file, in order of their numbers.

    Raises UnreadableError when there are none, InvalidInputError when one is missing in between.
    """
    if is_pattern(path):
        return _matching(path)
    if not path.is_dir():
        return [path]
    files = sorted(entry for entry in path.iterdir() if entry.suffix.lower() in READABLE)
    if not files:
        raise UnreadableError(f"the folder {path} holds no image ({', '.join(sorted(READABLE))})")
    return files


def number_in(path: Path) -> int:
    """The last number in a file name, 0 when there is none: frame_0101.png is 101."""
    digits = re.findall(r"\d+", path.stem)
    return int(digits[-1]) if digits else 0


def numbered_files(pattern: Path) -> list[tuple[int, Path]]:
    """The files that a pattern such as shot_%04d.exr stands for, by number; none is no error."""
    before, after = PATTERN.split(pattern.name, maxsplit=1)
    name = re.compile(re.escape(before) + r"(\d+)" + re.escape(after))
    folder = pattern.parent
    entries = folder.iterdir() if folder.is_dir() else ()
    return sorted((int(found[1]), entry) for entry in entries if (found := name.fullmatch(entry.name)))


def _matching(pattern: Path) -> list[Path]:
    """A gap is an error, for frames must not slip."""
    numbered = numbered_files(pattern)
    if not numbered:
        raise UnreadableError(f"no file matches {pattern}")
    for (number, _), (following, _) in pairwise(numbered):
        if following != number + 1:
            raise InvalidInputError(f"{pattern}: frame {number + 1} is missing between {number} and {following}")
    return [entry for _, entry in numbered]
