"""Encoded frames of one part of a clip on disk: whole, or not there."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from service.batch.errors import write_error

_HEAD = struct.Struct("<qqI?")


@dataclass(frozen=True)
class EncodedFrame:
    """A compressed frame.

    time, duration  in units of the clip's time_base; duration 0: unknown
    """

    time: int
    duration: int
    is_keyframe: bool
    data: bytes


class PacketFile:
    """Frames are appended; `close` makes them durable."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO = open(path, "wb")  # noqa: SIM115 - open until the part ends

    def append(self, frame: EncodedFrame) -> None:
        """Write one frame. Raises WriteError."""
        try:
            self._file.write(_HEAD.pack(frame.time, frame.duration, len(frame.data), frame.is_keyframe))
            self._file.write(frame.data)
        except OSError as error:
            raise write_error(self._path, error) from None

    def close(self) -> None:
        """Wait until everything is on the disk. Raises WriteError."""
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        except OSError as error:
            raise write_error(self._path, error) from None

    def abandon(self) -> None:
        """Close without asking whether anything arrived."""
        try:
            self._file.close()
        except OSError:
            self._file.raw.close()  # type: ignore[attr-defined]  # what the buffer still holds cannot be written


def read_packets(path: Path) -> Iterator[EncodedFrame]:
    """Frames of a part that was closed, in the order they were appended."""
    with open(path, "rb") as file:
        while head := file.read(_HEAD.size):
            time, duration, size, is_keyframe = _HEAD.unpack(head)
            yield EncodedFrame(time, duration, is_keyframe, file.read(size))


def count_packets(path: Path) -> int:
    """How many whole frames a part has; their data are not read. Raises OSError."""
    size, count = path.stat().st_size, 0
    with open(path, "rb") as file:
        while len(head := file.read(_HEAD.size)) == _HEAD.size:
            if file.seek(_HEAD.unpack(head)[2], os.SEEK_CUR) > size:
                break
            count += 1
    return count
