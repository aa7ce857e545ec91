"""Cuts a clip of unknown length into windows whose kept frames tile it, reading every frame once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from model.window import Window, window_of

Frame = TypeVar("Frame")


@dataclass(frozen=True)
class ClipWindow(Generic[Frame]):
    """A window and its frames.

    numbers  frame number of each, those outside the clip clamped to its ends
    frames   as long as `numbers`
    wanted   indices of the kept frames that lie inside the clip
    """

    window: Window
    numbers: tuple[int, ...]
    frames: tuple[Frame, ...]
    wanted: tuple[int, ...]


def windows_of(clip: Iterable[Frame], first: int, length: int, since: int | None = None) -> Iterator[ClipWindow[Frame]]:
    """Yield the windows of a clip whose frames are numbered from `first`.

    clip    its frames; those before `first_needed(first, length, since)` are left out
    length  frames of a window: 1, or 4k + 1
    since   begin with the window that keeps this frame; None: with the first
    """
    since = first if since is None else since
    window = window_of(since, length)
    unread = enumerate(clip, start=first_needed(first, length, since))
    read: dict[int, Frame] = {}
    last: int | None = None  # known once the clip has been read to its end
    while True:
        end = window.first_frame + window.length - 1
        while last is None and end not in read:
            number, frame = next(unread, (None, None))
            if number is None or frame is None:
                last = max(read, default=first - 1)
            else:
                read[number] = frame
        if last is not None and window.first_frame + window.kept.start > last:
            return
        yield _clip_window(window, read, first, end if last is None else last)
        window = Window(window.first_frame + len(window.kept), window.length)
        read = {number: frame for number, frame in read.items() if number >= window.first_frame}


def first_needed(first: int, length: int, since: int) -> int:
    """The first frame that the window of `since` reads, in a clip that begins at `first`."""
    return max(first, window_of(since, length).first_frame)


def _clip_window(window: Window, read: dict[int, Frame], first: int, last: int) -> ClipWindow[Frame]:
    numbers = tuple(window.frames(first, last))
    wanted = tuple(index for index in window.kept if first <= window.first_frame + index <= last)
    return ClipWindow(window, numbers, tuple(read[number] for number in numbers), wanted)
