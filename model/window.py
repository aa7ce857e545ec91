"""Which frames are computed together: a function of the frame number alone (DESIGN.md §4).

Window w of length L with c context frames on each side keeps frames [w·K, (w+1)·K), K = L − 2c, and is computed
from frames [w·K − c, w·K − c + L). Kept frames tile the clip, so any order of requests and any split over
machines gives the same windows.
"""

from __future__ import annotations

from dataclasses import dataclass

CONTEXT_FRAMES = 2
"""Frames on each side that give context and are dropped; windows of one frame have none."""


@dataclass(frozen=True)
class Window:
    """`length` frames from `first_frame`, of which `kept` are results."""

    first_frame: int
    length: int

    @property
    def context(self) -> int:
        """Frames on each side that are computed and dropped."""
        return context_of(self.length)

    @property
    def kept(self) -> range:
        """Indices into the window of the frames that are results."""
        return range(self.context, self.length - self.context)

    def frames(self, first: int, last: int) -> list[int]:
        """Frame numbers of the window, those outside the clip [first, last] clamped to its ends."""
        return [min(max(n, first), last) for n in range(self.first_frame, self.first_frame + self.length)]


def context_of(length: int) -> int:
    """Context frames on each side of a window of `length` frames."""
    return 0 if length == 1 else CONTEXT_FRAMES


def window_of(frame: int, length: int) -> Window:
    """The one window whose kept frames contain `frame`.

    length   1, or 4k + 1 frames
    """
    context = context_of(length)
    kept = length - 2 * context
    return Window(first_frame=frame // kept * kept - context, length=length)
