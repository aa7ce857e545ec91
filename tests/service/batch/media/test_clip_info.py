from __future__ import annotations

from fractions import Fraction

import pytest

from service.batch.media.clip_info import Timecode

NTSC = Fraction(30000, 1001)


@pytest.mark.parametrize(
    ("start", "frames", "fps", "expected"),
    [
        ("01:02:03:04", 0, Fraction(24), "01:02:03:04"),
        ("00:59:59:23", 1, Fraction(24), "01:00:00:00"),
        ("23:59:59:24", 1, Fraction(25), "00:00:00:00"),
        ("00:00:59:23", 1, Fraction(24000, 1001), "00:01:00:00"),
        # Drop frame leaves out numbers 0 and 1 of each minute but every tenth.
        ("00:00:59;29", 1, NTSC, "00:01:00;02"),
        ("00:09:59;29", 1, NTSC, "00:10:00;00"),
        ("00:00:00;00", 17982, NTSC, "00:10:00;00"),
        ("00:00:00;00", 107892, NTSC, "01:00:00;00"),
        ("00:00:59;59", 1, Fraction(60000, 1001), "00:01:00;04"),
    ],
)
def test_timecode_counts_as_the_standard_does(start, frames, fps, expected):
    parsed = Timecode.parse(start)
    assert parsed is not None
    assert str(parsed.plus(frames, fps)) == expected


@pytest.mark.parametrize("drop", [False, True])
def test_frame_after_frame_is_the_same_as_all_at_once(drop):
    start = Timecode(0, 0, 58, 0, drop)
    at = start
    for frames in range(1, 20000, 7):
        at = at.plus(7, NTSC)
        assert at == start.plus(frames + 6, NTSC)


@pytest.mark.parametrize("text", ["", "1:2:3:4", "01:02:03", "aa:bb:cc:dd"])
def test_other_text_is_no_timecode(text):
    assert Timecode.parse(text) is None
