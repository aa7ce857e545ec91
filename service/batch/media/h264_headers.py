"""The one header of H.264 that says how tall its pictures are, and how to make it say more (ITU-T H.264, 7.3.2.1)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

_SEQUENCE, _TYPE_BITS = 7, 31
_WITH_CHROMA = frozenset((44, 83, 86, 100, 110, 118, 122, 128, 138, 244))  # profiles whose header says more
_ESCAPED = re.compile(rb"\x00\x00\x03(?=[\x00-\x03]|$)", re.DOTALL)
_TO_ESCAPE = re.compile(rb"\x00\x00(?=[\x00-\x03])", re.DOTALL)
_START_CODE = re.compile(rb"(\x00\x00\x00?\x01)", re.DOTALL)


@dataclass(frozen=True)
class TallerHeaders:
    """A stream's headers after `made_taller`.

    rows          of macroblocks that the pictures really have
    length_bytes  before each unit of a packet; 0: start codes
    """

    extradata: bytes
    rows: int
    length_bytes: int


def made_taller(extradata: bytes, more_blocks: int) -> TallerHeaders | None:
    """Headers that claim pictures of at least `more_blocks` more macroblocks; None when they cannot be read."""
    found: list[int] = []

    def taller(unit: bytes) -> bytes:
        header, rows = _taller(unit, more_blocks)
        found.append(rows)
        return header

    try:
        if extradata[:1] == b"\1":
            result, length_bytes = _of_configuration(extradata, taller), (extradata[4] & 3) + 1
        else:
            result, length_bytes = _of_units(extradata, 0, taller), 0
    except (IndexError, ValueError):
        return None
    return TallerHeaders(result, max(found), length_bytes) if found else None


def packet_made_taller(data: bytes, length_bytes: int, more_blocks: int) -> bytes:
    """A packet with the headers in it, if there are any, changed as `made_taller` does."""
    try:
        return _of_units(data, length_bytes, lambda unit: _taller(unit, more_blocks)[0])
    except (IndexError, ValueError):
        return data  # damaged: the decoder will say so


def _of_configuration(record: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """AVCDecoderConfigurationRecord of ISO/IEC 14496-15: the headers come first, each after two bytes of length."""
    result, at = bytearray(record[:6]), 6
    for _ in range(record[5] & 31):
        end = at + 2 + int.from_bytes(record[at : at + 2], "big")
        header = change(record[at + 2 : end])
        result += len(header).to_bytes(2, "big") + header
        at = end
    return bytes(result + record[at:])


def _of_units(data: bytes, length_bytes: int, change: Callable[[bytes], bytes]) -> bytes:
    if not length_bytes:
        return b"".join(change(part) if _is_sequence(part) else part for part in _START_CODE.split(data))
    result, at = bytearray(), 0
    while at < len(data):
        start = at + length_bytes
        at = start + int.from_bytes(data[at:start], "big")
        unit = data[start:at]
        unit = change(unit) if _is_sequence(unit) else unit
        result += len(unit).to_bytes(length_bytes, "big") + unit
    return bytes(result)


def _is_sequence(unit: bytes) -> bool:
    return len(unit) > 4 and unit[0] & _TYPE_BITS == _SEQUENCE


def _taller(unit: bytes, more_blocks: int) -> tuple[bytes, int]:
    """The header with more rows, and how many rows of macroblocks it had."""
    bits = _Bits(_ESCAPED.sub(b"\0\0", unit))
    _skip_to_width(bits)
    width = bits.number() + 1
    start = bits.at
    units = bits.number() + 1  # rows, or pairs of them where fields are allowed
    end = bits.at
    rows = units if bits.take(1) else 2 * units
    taller = bits.text[:start] + _number(units - 1 + -(-more_blocks // width)) + bits.text[end:]
    taller = taller.rstrip("0")  # ends with its stop bit
    taller += "0" * (-len(taller) % 8)
    return _TO_ESCAPE.sub(b"\0\0\3", int(taller, 2).to_bytes(len(taller) // 8, "big")), rows


def _skip_to_width(bits: _Bits) -> None:
    bits.take(8)
    profile = bits.take(8)
    bits.take(16)
    bits.number()
    if profile in _WITH_CHROMA:
        _skip_chroma(bits)
    bits.number()  # of frame numbers
    order = bits.number()
    if order == 0:
        bits.number()
    elif order == 1:
        bits.take(1)
        bits.skip_numbers(2)
        bits.skip_numbers(bits.number())
    bits.number()  # of reference frames
    bits.take(1)


def _skip_chroma(bits: _Bits) -> None:
    chroma = bits.number()
    if chroma == 3:
        bits.take(1)
    bits.skip_numbers(2)
    bits.take(1)
    if bits.take(1):
        for index in range(12 if chroma == 3 else 8):
            if bits.take(1):
                _skip_scaling_list(bits, 16 if index < 6 else 64)


def _skip_scaling_list(bits: _Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            code = bits.number()
            following = (last + (-(code // 2) if code % 2 == 0 else code // 2 + 1)) % 256
        last = following or last


class _Bits:
    """Reads numbers off a string of 0 and 1. Raises IndexError or ValueError beyond its end."""

    def __init__(self, data: bytes) -> None:
        self.text = "".join(f"{byte:08b}" for byte in data)
        self.at = 0

    def take(self, count: int) -> int:
        """So many bits."""
        self.at += count
        return int(self.text[self.at - count : self.at], 2)

    def number(self) -> int:
        """ue(v): as many zeros as there are bits after the one."""
        one = self.text.index("1", self.at)
        zeros, self.at = one - self.at, one
        return self.take(zeros + 1) - 1

    def skip_numbers(self, count: int) -> None:
        """Pass over so many."""
        for _ in range(count):
            self.number()


def _number(value: int) -> str:
    digits = f"{value + 1:b}"
    return "0" * (len(digits) - 1) + digits
