"""What was measured on: how many windows of which size and media, and how much of them is hole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import torch

from model.evaluate.windows import Window


class WindowTally:
    """Counts windows one at a time, so that they need not be kept.

    `str` is the sentence over a table, once there is a window.
    """

    def __init__(self) -> None:
        self._media: Counter[str] = Counter()
        self._shape = torch.Size()
        self._hole = self._edge = 0.0

    def add(self, window: Window) -> None:
        """Count a window."""
        self._media[window.medium] += 1
        self._shape = window.view.shape
        self._hole += window.hole.float().mean().item()
        self._edge += window.edge.float().mean().item()

    def __str__(self) -> str:
        count, (frames, _, height, width) = self._media.total(), self._shape
        return (
            f"{count} windows of {frames} frames, {width}x{height} px, of {len(self._media)} media; "
            f"holes are {self._hole / count:.1%} of the pixels, {self._edge / count:.1%} lie in the strip at the "
            "frame's edge."
        )


def tallied(windows: Iterable[Window]) -> str:
    """Count windows, at least one, that are at hand anyway."""
    tally = WindowTally()
    for window in windows:
        tally.add(window)
    return str(tally)
