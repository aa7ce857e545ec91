from __future__ import annotations

from typing import Any

import pytest

from service.batch.media.h264_headers import made_taller, packet_made_taller

av = pytest.importorskip("av")

# From the standard's table 7.3.2.1: profile 66, level 10, then ue(v) 0 (id), 0 (frame numbers), 2 (order by decoding),
# 1 reference, no gaps, width 4 blocks, height 6 blocks, frames only, direct inference, no cropping, no VUI, stop bit.
BITS = "1 1 011 010 0 00100 00110 1 1 0 0 1".replace(" ", "")
SEQUENCE = bytes([0x67, 66, 0, 10]) + int(BITS.ljust(24, "0"), 2).to_bytes(3, "big")
TALLER = "1 1 011 010 0 00100 0001000 1 1 0 0 1".replace(" ", "")  # 7 coded: 8 rows
TALLER_SEQUENCE = bytes([0x67, 66, 0, 10]) + int(TALLER.ljust(32, "0"), 2).to_bytes(4, "big")
PICTURE = bytes([0x65, 1, 2, 3, 4, 5])


def test_a_header_gets_the_rows_that_hold_so_many_more_blocks():
    start = b"\0\0\0\1"
    headers = made_taller(start + SEQUENCE + start + PICTURE, more_blocks=5)  # 5 blocks are 2 rows of 4
    assert headers is not None
    assert (headers.extradata, headers.rows) == (start + TALLER_SEQUENCE + start + PICTURE, 6)
    assert headers.length_bytes == 0


def test_headers_of_mp4_keep_their_lengths():
    after = b"\1\0\4\x68\1\2\3"
    record = bytes([1, 66, 0, 10, 0xFF, 0xE1, 0, len(SEQUENCE)]) + SEQUENCE + after
    headers = made_taller(record, more_blocks=5)
    assert headers is not None and headers.length_bytes == 4
    assert headers.extradata == record[:7] + bytes([len(TALLER_SEQUENCE)]) + TALLER_SEQUENCE + after


def test_packets_are_changed_only_where_a_header_is_in_them():
    def sized(unit: bytes) -> bytes:
        return len(unit).to_bytes(4, "big") + unit

    assert packet_made_taller(sized(PICTURE), 4, 5) == sized(PICTURE)
    assert packet_made_taller(sized(SEQUENCE) + sized(PICTURE), 4, 5) == sized(TALLER_SEQUENCE) + sized(PICTURE)


@pytest.mark.parametrize("data", [b"", b"\1", b"\0\0\1\x67\x42", b"\0\0\1\x67" + bytes(20), bytes(40)])
def test_what_is_no_header_is_left_alone(data):
    assert made_taller(data, 5) is None
    assert packet_made_taller(data, 0, 5) == data


@pytest.mark.parametrize(
    ("pixel_format", "options", "rows"),
    [
        ("yuv420p", {}, 6),
        ("yuv420p10le", {}, 6),
        ("yuv444p", {"x264-params": "cqm=jvt"}, 6),  # twelve scaling matrices
        ("yuv420p", {"profile": "baseline"}, 6),
        ("yuv420p", {"flags": "+ildct+ilme", "x264-params": "tff=1"}, 6),  # counted in pairs: 96 px are 3
    ],
)
def test_a_decoder_takes_the_picture_for_taller(make_video, pixel_format, options, rows):
    source = make_video("s.mp4", encoder="libx264", pixel_format=pixel_format, options=options, frames=2, size=(96, 64))
    with av.open(str(source)) as container:
        headers = made_taller(container.streams.video[0].codec_context.extradata, more_blocks=16)
        assert headers is not None and headers.rows == rows
        decoder: Any = av.CodecContext.create("h264", "r")
        decoder.extradata = headers.extradata
        decoder.open()
        decoder.decode(next(container.demux(video=0)))
        assert decoder.height == 96 + 4 * 16 * (2 if "ilme" in options.get("flags", "") else 1)
