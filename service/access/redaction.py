"""What errors and logs must not carry: folders of the machine that serves, tokens, content keys, pixels."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

_QUOTED_PATH = re.compile(r"""(['"])(?:file:/+)?/[^'"\n]*/([^/'"\n]*)\1""")
_PATH = re.compile(r"(?:file:/*(?=/)|(?<![\w/.]))(?:/(?!/)|(?<!:)/{2,})(?!\s)(?:[^\s/'\"(),:;]+/+)+")
_TOKEN = re.compile(r"(?i)(bearer\s+)\S+")
_LONG_HEX = re.compile(r"[0-9a-f]{20,}", re.IGNORECASE)
_BYTES = re.compile(r"""b(['"])(?:(?!\1).)*\\x.*?\1""")


def without_folders(text: str) -> str:
    """Shorten each absolute path to its last name: who asks over the wire need not know where things lie.

    A path with blanks is known by the quotes around it, or by the home folder that it begins with.
    """
    for home in _homes():
        text = text.replace(home, "/~/")
    return _PATH.sub("", _QUOTED_PATH.sub(r"\1\2\1", text))


def without_secrets(text: str) -> str:
    """Blank out tokens, raw bytes, and numbers so long that they are keys, nonces or the names of shared memory."""
    return _BYTES.sub("[bytes]", _LONG_HEX.sub("[key]", _TOKEN.sub(r"\1[token]", text)))


@cache
def _homes() -> list[str]:
    """Of the user; asked for once."""
    try:
        return [f"{Path.home()}/"] if Path.home() != Path("/") else []
    except RuntimeError:  # a user without one
        return []
