"""What errors and logs must not carry: folders of the machine that serves, tokens, content keys."""

from __future__ import annotations

import re

_PATH = re.compile(r"(?<![\w/.])/(?![/\s])(?:[^\s/'\"(),:;]+/)+")
_TOKEN = re.compile(r"(?i)(bearer\s+)\S+")
_LONG_HEX = re.compile(r"\b[0-9a-f]{20,}\b", re.IGNORECASE)


def without_folders(text: str) -> str:
    """Shorten each absolute path to its last name: who asks over the wire need not know where things lie."""
    return _PATH.sub("", text)


def without_secrets(text: str) -> str:
    """Blank out tokens, and numbers so long that they are keys, nonces or the names of shared memory."""
    return _LONG_HEX.sub("[key]", _TOKEN.sub(r"\1[token]", text))
