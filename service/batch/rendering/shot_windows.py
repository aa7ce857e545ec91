"""Cuts a clip into its shots, their windows, and parts of whole windows: a function of frame numbers alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from model.window import context_of
from service.batch.rendering.clip_windows import ClipWindow, first_needed, windows_of
from service.batch.rendering.journal import part_name
from service.batch.rendering.orders import Shot
from service.batch.sources.source_frames import SourceFrame, SourceFrames, up_to

PART_FRAMES = 48
"""Frames of a part, at least: what a crash may cost. A part holds whole windows of one shot."""


@dataclass(frozen=True)
class ShotWindow:
    """A window, the shot it lies in, and the part its kept frames go to."""

    part: str
    shot: Shot
    window: ClipWindow[SourceFrame]

    @property
    def begins_part(self) -> bool:
        """Whether the part's first frame is among its kept ones."""
        return self.window.numbers[self.window.wanted[0]] == int(self.part)


def shot_windows(source: SourceFrames, shots: Sequence[Shot], since: int) -> Iterator[ShotWindow]:
    """The windows of all shots, from the one that keeps frame `since`; every frame is read once.

    shots  without gaps; the last may be open

    Raises what reading raises, and UnreadableError when the clip ends before a shot does.
    """
    frames: Iterator[SourceFrame] | None = None
    for shot in shots:
        if shot.last is not None and shot.last < since:
            continue
        assert shot.first is not None
        length, start = shot.settings.window, max(since, shot.first)
        if frames is None:
            frames = source.read(first_needed(shot.first, length, start))
        for window in windows_of(up_to(frames, shot.last, source.footage.path), shot.first, length, start):
            yield ShotWindow(_part_of(window, shot.first), shot, window)


def _part_of(window: ClipWindow[SourceFrame], first_of_shot: int) -> str:
    kept = window.window.length - 2 * context_of(window.window.length)
    part_frames = -(-PART_FRAMES // kept) * kept
    first_kept = window.window.first_frame + window.window.kept.start
    return part_name(max(first_of_shot, first_kept // part_frames * part_frames))
