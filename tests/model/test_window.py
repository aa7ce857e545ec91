from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.window import context_of, window_of

LENGTHS = (1, 17, 33, 81)


@pytest.mark.parametrize("length", LENGTHS)
@given(frame=st.integers(-(10**6), 10**6))
def test_the_window_of_a_frame_keeps_that_frame(length: int, frame: int) -> None:
    window = window_of(frame, length)
    assert frame - window.first_frame in window.kept


@pytest.mark.parametrize("length", LENGTHS)
def test_kept_frames_tile_the_clip(length: int) -> None:
    windows = sorted({window_of(n, length).first_frame for n in range(-100, 100)})
    kept = [first + index for first in windows for index in range(context_of(length), length - context_of(length))]
    assert kept == list(range(kept[0], kept[0] + len(kept)))


def test_a_single_frame_window_is_the_frame_alone() -> None:
    window = window_of(7, 1)
    assert (window.first_frame, window.length, list(window.kept)) == (7, 1, [0])


def test_seventeen_frames_keep_thirteen_from_a_multiple_of_thirteen() -> None:
    window = window_of(12, 17)
    assert (window.first_frame, list(window.kept)) == (-2, list(range(2, 15)))
    assert window_of(13, 17).first_frame == 11


def test_frames_beyond_the_clip_repeat_its_ends() -> None:
    assert window_of(0, 17).frames(0, 3) == [0, 0, 0, 1, 2] + [3] * 12
