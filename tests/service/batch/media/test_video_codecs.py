from __future__ import annotations

from fractions import Fraction

import pytest

from model.errors import InvalidInputError
from service.batch.media.clip_info import ClipInfo, ContentLight, MasteringDisplay
from service.batch.media.planar_yuv import planar_format
from service.batch.media.video_codecs import (
    CODECS,
    choose_pixel_format,
    default_codec,
    encoder_options,
    with_colour_volume,
)

P3_SCREEN = MasteringDisplay(
    red=(Fraction("0.68"), Fraction("0.32")),
    green=(Fraction("0.265"), Fraction("0.69")),
    blue=(Fraction("0.15"), Fraction("0.06")),
    white=(Fraction("0.3127"), Fraction("0.329")),
    min_luminance=Fraction("0.005"),
    max_luminance=Fraction(1000),
)


@pytest.mark.parametrize(
    ("codec", "source", "size", "chosen"),
    [
        ("ffv1", "yuv420p10le", (64, 36), "yuv420p10le"),
        ("ffv1", "yuv420p", (63, 35), "yuv420p"),
        ("ffv1", "gbrp16le", (64, 36), "gbrp16le"),
        ("ffv1", "yuva444p10le", (64, 36), "yuva444p10le"),
        ("ffv1", "yuv411p", (64, 36), "yuv422p"),  # the least that holds a quarter of the columns
        ("h264", "yuv420p", (64, 36), "yuv420p"),
        ("h264", "yuv422p12le", (64, 36), "yuv422p10le"),
        ("h264", "yuv420p", (63, 36), "yuv444p"),  # 4:2:0 and 4:2:2 have no odd widths
        ("h264", "yuv420p", (64, 35), "yuv422p"),
        ("hevc", "yuv420p12le", (64, 36), "yuv420p12le"),
        ("hevc", "gbrp16le", (64, 36), "yuv444p12le"),
        ("prores", "yuv420p", (64, 36), "yuv422p10le"),
        ("prores-4444", "gbrp16le", (64, 36), "yuv444p10le"),
        ("prores-4444", "gbrap16le", (64, 36), "yuva444p10le"),
    ],
)
def test_the_format_that_loses_least_is_chosen(codec, source, size, chosen):
    assert choose_pixel_format(codec, ClipInfo(pixel_format=source), *size).name == chosen


def test_a_size_that_no_format_takes_is_refused():
    with pytest.raises(InvalidInputError, match="prores needs even sizes; the output is 63 x 36"):
        choose_pixel_format("prores", ClipInfo(pixel_format="yuv420p"), 63, 36)


@pytest.mark.parametrize(
    ("suffix", "source", "codec"),
    [
        (".mov", "yuv420p", "prores"),
        (".mkv", "yuv420p", "ffv1"),
        (".avi", "gbrp", "ffv1"),
        (".mp4", "yuv420p", "h264"),
        (".mp4", "yuv420p10le", "hevc"),
        (".mp4", "gbrp16le", "h264"),
    ],
)
def test_a_container_has_a_codec_of_its_own(suffix, source, codec):
    planar = planar_format(source)
    assert planar is not None
    assert default_codec(suffix, planar) == codec
    assert suffix in CODECS[codec].containers


def test_every_pixel_format_of_every_codec_is_one_we_write():
    assert [name for codec in CODECS.values() for name in codec.pixel_formats if planar_format(name) is None] == []


def test_hdr_is_written_in_the_units_of_the_standards():
    # ST 2086 counts chromaticity in 0.00002 and luminance in 0.0001 cd/m²; the order is green, blue, red.
    info = ClipInfo(mastering=P3_SCREEN, light=ContentLight(1000, 400))
    expected = (
        "log-level=error:hash=1:master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)"
        ":max-cll=1000,400:aq-mode=0"
    )
    assert encoder_options("hevc", info, {"x265-params": "aq-mode=0"})["x265-params"] == expected
    assert "x264-params" not in encoder_options("h264", ClipInfo(), {})
    assert encoder_options("h264", ClipInfo(), {"crf": "30"})["crf"] == "30"


@pytest.mark.parametrize(("matrix", "bits"), [(1, 0b000), (9, 0b010), (6, 0b110), (2, 0b110)])
def test_a_dnxhr_frame_says_its_matrix_in_two_bits(matrix, bits):
    frame = with_colour_volume(bytes([0xFF]) * 0x40, matrix)
    assert frame[0x2C] == 0b11111001 | bits
    assert frame[:0x2C] + frame[0x2D:] == bytes([0xFF]) * 0x3F
