from __future__ import annotations

import struct

import pytest

from service.batch.sources.whole_file import missing_bytes


def box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), name) + content


EBML_HEADER = b"\x1a\x45\xdf\xa3\x84abcd"  # id, length 4 in one byte, content
SEGMENT = b"\x18\x53\x80\x67"


@pytest.mark.parametrize(
    ("content", "missing"),
    [
        (box(b"ftyp", b"isom") + box(b"mdat", bytes(90)), 0),
        ((box(b"ftyp", b"isom") + box(b"mdat", bytes(90)))[:-7], 7),
        (box(b"ftyp", b"isom") + struct.pack(">I4sQ", 1, b"mdat", 100) + bytes(50), 34),  # 64 bit size
        (box(b"ftyp", b"isom") + struct.pack(">I4s", 0, b"mdat") + bytes(50), 0),  # size 0: to the end
        (EBML_HEADER + SEGMENT + b"\x8a" + bytes(10), 0),
        (EBML_HEADER + SEGMENT + b"\x8a" + bytes(4), 6),
        (EBML_HEADER + SEGMENT + b"\x40\x0a" + bytes(4), 6),  # the same length in two bytes
        (EBML_HEADER + SEGMENT + b"\x01" + b"\xff" * 7 + bytes(4), 0),  # a live recording
        (b"RIFF" + struct.pack("<I", 24) + b"AVI " + bytes(20), 0),
        (b"RIFF" + struct.pack("<I", 24) + b"AVI " + bytes(15), 5),
        (b"not a video at all", 0),
        (b"", 0),
    ],
)
def test_what_a_file_says_it_has_beyond_its_end_is_counted(tmp_path, content, missing):
    (tmp_path / "v").write_bytes(content)
    assert missing_bytes(tmp_path / "v") == missing
