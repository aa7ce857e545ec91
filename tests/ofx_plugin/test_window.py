"""window.h is model/window.py."""

from __future__ import annotations

import pytest

from model.window import window_of


@pytest.mark.parametrize("length", [1, 5, 17, 33, 81])
def test_windows_are_those_of_the_model(units, length):
    for frame in [*range(-200, 200), -100_003, 86_400, 2_000_000_000]:
        expected = window_of(frame, length)
        assert units.window_of(frame, length) == (expected.first_frame, length, list(expected.kept)), frame
