"""The bench keeps results, not every state of a progress bar."""

from __future__ import annotations

from examples.bench import without_progress


def test_only_the_last_state_of_a_progress_bar_is_kept():
    assert without_progress("table\n 0%\r 50%\r100%\ndone\n") == "table\n100%\ndone"
