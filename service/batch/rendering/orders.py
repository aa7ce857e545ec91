"""What to render: clips, their shots, and where each output goes. Checked once, here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from model.errors import InvalidInputError, SettingsError
from model.settings import OUTPUTS, Settings
from service.batch.outputs.picture_writer import OutputFile
from service.stereo_model import DEFAULT_INPAINTER

KINDS = (*OUTPUTS, "vr180")
"""What can be made of a clip: the outputs of the settings, and one that only files can hold."""

DEFAULT_FIELD_OF_VIEW_DEG = 60.0


@dataclass(frozen=True)
class Shot:
    """Frames with settings of their own; no window reaches over their ends.

    first, last  frame numbers, both included; None: the clip's own end
    """

    first: int | None
    last: int | None
    settings: Settings


@dataclass(frozen=True)
class ClipOrder:
    """One clip, and everything to make of it in one pass.

    Raises InvalidInputError for orders that cannot be.
    """

    source: Path
    outputs: tuple[OutputFile, ...]
    settings: Settings = Settings()  # noqa: RUF009 - frozen
    depth: Path | None = None
    first: int | None = None  # frame numbers, both included; None: the clip's own end
    last: int | None = None
    count: int | None = None  # at most so many frames
    shots: tuple[Shot, ...] = ()
    fps: Fraction | None = None  # None: the source's
    inpainter: str = DEFAULT_INPAINTER
    depth_estimator: str = ""
    field_of_view_deg: float = DEFAULT_FIELD_OF_VIEW_DEG  # of the source across its width; only vr180 asks
    overwrite: bool = False

    def __post_init__(self) -> None:
        self._check_outputs()
        for name in ("fps", "count"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise InvalidInputError(f"{name} must be above 0; got {value}")
        if not 1 <= self.field_of_view_deg <= 170:
            raise InvalidInputError(f"field_of_view must be 1..170 degrees; got {self.field_of_view_deg:g}")
        for settings in (self.settings, *(shot.settings for shot in self.shots)):
            if (settings.depth_source == "clip") != (self.depth is not None):
                raise SettingsError("depth_source=clip and a depth clip go together; give both or neither")

    def _check_outputs(self) -> None:
        if not self.outputs:
            raise InvalidInputError(f"{self.source}: no output is named; say what to make and where it goes")
        for name in ("kind", "path"):
            values = [getattr(output, name) for output in self.outputs]
            if repeated := next((value for value in values if values.count(value) > 1), None):
                raise InvalidInputError(f"{self.source}: {repeated} is named twice as an output")
        for output in self.outputs:
            if output.kind not in KINDS:
                raise SettingsError(f"output {output.kind!r} is unknown; the outputs are {', '.join(KINDS)}")

    @property
    def model_outputs(self) -> tuple[str, ...]:
        """What the model lays out for each output; a half sphere is made of both eyes side by side."""
        return tuple("sbs-full" if output.kind == "vr180" else output.kind for output in self.outputs)

    def shots_from(self, first: int) -> list[Shot]:
        """The clip cut into its shots, without gaps; frames of no shot have the clip's settings.

        first  the clip's own first frame

        Raises InvalidInputError when shots overlap, are in disorder, or lie outside the clip.
        """
        begin = max(first, self.first if self.first is not None else first)
        end = self.last
        if self.count is not None:
            end = min(begin + self.count - 1, end if end is not None else begin + self.count - 1)
        if end is not None and end < begin:
            raise InvalidInputError(f"{self.source}: frames {begin}..{end} are none; the clip begins at {first}")
        pieces, at = [], begin
        for shot in self.shots:
            start = at if shot.first is None else shot.first
            if start < at or (end is not None and start > end):
                raise InvalidInputError(
                    f"{self.source}: the shot from frame {start} overlaps the one before it or lies outside the clip"
                )
            if start > at:
                pieces.append(Shot(at, start - 1, self.settings))
            stop = end if shot.last is None else shot.last if end is None else min(shot.last, end)
            pieces.append(replace(shot, first=start, last=stop))
            if stop is None:
                return pieces
            if stop < start:
                raise InvalidInputError(f"{self.source}: the shot of frames {start}..{stop} has none")
            at = stop + 1
        if end is None or at <= end:
            pieces.append(Shot(at, end, self.settings))
        return pieces


@dataclass(frozen=True)
class JobOrder:
    """Clips, one after the other.

    devices  windows of a clip run on all of them at once
    cluster  address of a Ray cluster whose workers do the work instead; None: the devices
    report   a folder for figures and contact sheets; None: only what is printed
    journal  a file that remembers which clips are done, until all are; None: nothing is remembered
    """

    clips: tuple[ClipOrder, ...]
    devices: tuple[str, ...] = ("auto",)
    cluster: str | None = None
    report: Path | None = None
    journal: Path | None = None
