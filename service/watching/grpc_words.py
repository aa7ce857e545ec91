"""What gRPC's core prints on stderr, as lines of our log: above all TLS handshakes that failed, which it alone sees.

Only what is written below Python comes here: Python's own stderr is led around it.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import threading
from typing import BinaryIO

log = logging.getLogger(__name__)

_LINE = re.compile(r"([IWEF])\d{4} [\d:.]+\s+\d+ ([\w.]+):\d+\] (.*)")
_HANDSHAKE = re.compile(r"Handshake failed with error \w+: error:\w+:[^:]*:[^:]*:(\w+)(?:: (.*))?")
_MEANINGS = {
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "the client showed no certificate",
    "WRONG_VERSION_NUMBER": "the client spoke no TLS",
    "HTTP_REQUEST": "the client spoke no TLS",
}
_LEVELS = {"I": logging.INFO, "W": logging.WARNING, "E": logging.WARNING, "F": logging.CRITICAL}
JOIN_S = 1.0


def in_our_words(line: str) -> tuple[int, str] | None:
    """Level and text of a line of gRPC's; None for a line of anybody else."""
    found = _LINE.fullmatch(line)
    if found is None:
        return None
    level, source, text = found.groups()
    handshake = _HANDSHAKE.match(text)
    if handshake is None:
        return _LEVELS[level], f"gRPC, {source}: {text}"
    reason, detail = handshake.groups()
    if reason == "CERTIFICATE_VERIFY_FAILED":
        meaning = f"the client's certificate is not accepted: {detail}"
    elif "_ALERT_" in reason:  # what the other end said of us: our certificate has expired, nobody knows who signed it
        meaning = "the client answered: " + reason.partition("_ALERT_")[2].replace("_", " ").lower()
    else:
        meaning = _MEANINGS.get(reason, reason.replace("_", " ").lower())
    return logging.WARNING, f"refused: a TLS handshake failed; {meaning}"


class GrpcWords:
    """Reads what comes to stderr from C until `close`. Set up logs after it is made: they go to the real one."""

    def __init__(self) -> None:
        self._real = os.dup(sys.stderr.fileno())
        self._stderr = sys.stderr
        source, sink = os.pipe()
        os.dup2(sink, 2)
        os.close(sink)
        sys.stderr = open(self._real, "w", buffering=1, closefd=False)  # noqa: SIM115 - until `close`
        self._thread = threading.Thread(target=self._read, args=(os.fdopen(source, "rb"),), name="stderr", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Let stderr be what it was."""
        os.dup2(self._real, 2)
        self._thread.join(JOIN_S)  # a child process may still hold the other end
        sys.stderr = self._stderr

    def _read(self, source: BinaryIO) -> None:
        with source:
            for line in source:
                ours = in_our_words(line.decode(errors="replace").rstrip("\n"))
                if ours is not None:
                    log.log(*ours)
                else:
                    os.write(self._real, line)
