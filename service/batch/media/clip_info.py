"""What a clip says besides its pixels: rate, timecode, shape of a pixel, colour and HDR. Every output carries it on."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fractions import Fraction

DEFAULT_FPS = Fraction(24)
"""Of clips that say none."""

UNSPECIFIED = 2
"""H.273: the file does not say."""

RANGE_LIMITED, RANGE_FULL = 1, 2
"""Of FFmpeg: black to white is 16..235 of 255, or all codes. 0 is unknown."""

_TIMECODE = re.compile(r"(\d\d):(\d\d):(\d\d)([:;.])(\d\d)")


@dataclass(frozen=True)
class VideoColour:
    """Code points of ITU-T H.273, as files store them."""

    primaries: int = UNSPECIFIED
    transfer: int = UNSPECIFIED
    matrix: int = UNSPECIFIED
    range: int = 0


@dataclass(frozen=True)
class MasteringDisplay:
    """SMPTE ST 2086: the screen that the clip was graded on.

    red, green, blue, white   CIE 1931 x, y
    min_luminance, max_luminance   cd/m²
    """

    red: tuple[Fraction, Fraction]
    green: tuple[Fraction, Fraction]
    blue: tuple[Fraction, Fraction]
    white: tuple[Fraction, Fraction]
    min_luminance: Fraction
    max_luminance: Fraction


@dataclass(frozen=True)
class ContentLight:
    """CTA 861.3, cd/m²: of the brightest pixel, and of the brightest frame on average."""

    max_content: int
    max_frame_average: int


@dataclass(frozen=True)
class Timecode:
    """The first frame's SMPTE ST 12 timecode, and whether it drops frame numbers to follow the clock."""

    hours: int
    minutes: int
    seconds: int
    frames: int
    drop: bool = False

    @classmethod
    def parse(cls, text: str) -> Timecode | None:
        """Read 01:02:03:04; a semicolon or point before the frames means drop. None when it is no timecode."""
        found = _TIMECODE.fullmatch(text.strip())
        if found is None:
            return None
        hours, minutes, seconds, separator, frames = found.groups()
        return cls(int(hours), int(minutes), int(seconds), int(frames), separator != ":")

    def plus(self, frames: int, fps: Fraction) -> Timecode:
        """The timecode so many frames later; wraps after 24 hours."""
        base = round(fps)
        dropped = base // 15 if self.drop else 0  # numbers skipped each minute but every tenth: 2 at 29.97, 4 at 59.94
        return self._from_count(self._count(base, dropped) + frames, base, dropped)

    def _count(self, base: int, dropped: int) -> int:
        minutes = 60 * self.hours + self.minutes
        return (60 * minutes + self.seconds) * base + self.frames - dropped * (minutes - minutes // 10)

    def _from_count(self, count: int, base: int, dropped: int) -> Timecode:
        per_minute = 60 * base - dropped
        per_ten = 10 * per_minute + dropped
        tens, rest = divmod(count % (144 * per_ten), per_ten)
        # The first minute of ten is whole; each of the others begins by skipping numbers.
        later_minutes = 0 if rest < 60 * base else 1 + (rest - 60 * base) // per_minute
        number = tens * 600 * base + rest + dropped * later_minutes
        seconds, frames = divmod(number, base)
        return replace(self, hours=seconds // 3600, minutes=seconds // 60 % 60, seconds=seconds % 60, frames=frames)

    def __str__(self) -> str:
        separator = ";" if self.drop else ":"
        return f"{self.hours:02}:{self.minutes:02}:{self.seconds:02}{separator}{self.frames:02}"


@dataclass(frozen=True)
class ClipInfo:
    """Everything that is carried from the source to each output."""

    fps: Fraction | None = None  # None: the source does not say
    timecode: Timecode | None = None  # of the source's first frame
    pixel_aspect: Fraction = Fraction(1)  # width of a pixel / its height
    pixel_format: str = "gbrp16le"  # FFmpeg's name of what would lose nothing of the source
    colour: VideoColour = VideoColour()
    color_space: str = ""  # what an image calls its colours, as in lin_rec709
    mastering: MasteringDisplay | None = None
    light: ContentLight | None = None
