"""Tells whether a video file is all there, from its own structure, before a night is spent on half of it.

FFmpeg reads a file that was cut short to where it ends and reports no error.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import BinaryIO

_EBML, _SEGMENT = 0x1A45DFA3, 0x18538067
_BOXES_FIRST = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")


def missing_bytes(path: Path) -> int:
    """How many bytes a Matroska, MP4, MOV or AVI file says it has beyond its end; 0 for all others. Raises OSError."""
    size = os.stat(path).st_size
    with open(path, "rb") as file:
        start = file.read(12)
        if len(start) < 12:
            return 0
        if start[:4] == b"RIFF" and start[8:] == b"AVI ":
            return max(0, 8 + struct.unpack("<I", start[4:8])[0] - size)
        file.seek(0)
        if struct.unpack(">I", start[:4])[0] == _EBML:
            return max(0, _end_of_segment(file) - size)
        return max(0, _end_of_boxes(file, size) - size) if start[4:8] in _BOXES_FIRST else 0


def _end_of_boxes(file: BinaryIO, size: int) -> int:
    """Where the last box of the top level ends (ISO/IEC 14496-12)."""
    at = 0
    while at + 8 <= size:
        file.seek(at)
        box_size, _ = struct.unpack(">I4s", file.read(8))
        if box_size == 1:
            box_size = struct.unpack(">Q", file.read(8).ljust(8, b"\0"))[0]
        if box_size < 8:  # 0: to the end of the file
            return size
        at += box_size
    return at


def _end_of_segment(file: BinaryIO) -> int:
    """Where the Segment of a Matroska file ends (RFC 8794); 0 when it does not say, as in a live recording."""
    for wanted in (_EBML, _SEGMENT):
        identifier = _variable_integer(file, keep_marker=True)
        length = _variable_integer(file, keep_marker=False)
        if identifier != wanted or length is None:
            return 0
        if wanted == _SEGMENT:
            return file.tell() + length
        file.seek(length, os.SEEK_CUR)
    return 0


def _variable_integer(file: BinaryIO, keep_marker: bool) -> int | None:
    """A number whose leading zero bits say how many bytes follow; None for "unknown", all ones."""
    first = file.read(1)
    if not first or not first[0]:
        return None
    following = 8 - first[0].bit_length()
    value = int.from_bytes(first + file.read(following), "big")
    if keep_marker:
        return value
    bits = 7 * (following + 1)
    value &= (1 << bits) - 1
    return None if value == (1 << bits) - 1 else value
