from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.window import window_of
from service.batch.rendering.clip_windows import first_needed, windows_of

lengths = st.sampled_from((1, 5, 17, 33))


@given(first=st.integers(-40, 40), count=st.integers(1, 90), length=lengths)
def test_wanted_frames_are_the_clip_once_and_in_order(first, count, length):
    clip = range(first, first + count)
    wanted = [window.numbers[index] for window in windows_of(clip, first, length) for index in window.wanted]
    assert wanted == list(clip)


@given(first=st.integers(-40, 40), count=st.integers(1, 90), length=lengths)
def test_each_window_is_the_one_that_a_host_would_ask_for(first, count, length):
    last = first + count - 1
    for window in windows_of(range(first, last + 1), first, length):
        some_frame = window.numbers[window.wanted[0]]
        assert window.window == window_of(some_frame, length)
        assert list(window.numbers) == window.window.frames(first, last)
        assert list(window.frames) == list(window.numbers)


def test_a_clip_shorter_than_a_window_repeats_its_ends():
    (window,) = windows_of("abc", 0, 17)
    assert "".join(window.frames) == "aaabc" + "c" * 12
    assert window.wanted == (2, 3, 4)


def test_an_empty_clip_has_no_window():
    assert list(windows_of([], 0, 17)) == []


def test_no_more_is_read_ahead_than_a_window_needs():
    read = []

    def clip():
        for number in range(1000):
            read.append(number)
            yield number

    next(iter(windows_of(clip(), 0, 17)))
    assert len(read) == 15


@pytest.mark.parametrize("length", [1, 17])
def test_frames_are_numbered_from_the_clips_own_first(length):
    window = next(iter(windows_of("ab", 101, length)))
    assert window.numbers[window.wanted[0]] == 101


@given(first=st.integers(-40, 40), count=st.integers(1, 90), length=lengths, skipped=st.integers(0, 89))
def test_windows_from_a_later_frame_are_the_last_ones_of_all(first, count, length, skipped):
    last, since = first + count - 1, first + min(skipped, count - 1)
    from_there = range(first_needed(first, length, since), last + 1)
    every = list(windows_of(range(first, last + 1), first, length))
    later = list(windows_of(from_there, first, length, since))
    assert later == every[len(every) - len(later) :]
    assert any(since in (window.numbers[index] for index in window.wanted) for window in later[:1])
