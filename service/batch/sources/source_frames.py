"""The frames of a clip with their depth, by frame number, read once from front to back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from model.errors import InvalidInputError, ShapeError
from service.batch.errors import UnreadableError
from service.batch.media.clip_info import DEFAULT_FPS, ClipInfo
from service.batch.sources.footage import Footage, FootageFrame, open_footage
from service.wire.frame_wire import FrameFormat, decode_frame


@dataclass(frozen=True)
class SourceFrame:
    """One frame.

    frame  of the source
    depth  (H, W, C) of the depth clip; its first channel counts
    """

    number: int
    frame: FootageFrame
    depth: np.ndarray | None


class SourceFrames:
    """The source and its depth clip, opened and found to fit.

    Raises UnreadableError, InvalidInputError, FrameFormatError.
    """

    def __init__(self, source: Path, depth: Path | None, fps: Fraction | None) -> None:
        self.footage = open_footage(source)
        self.depth: Footage | None = None if depth is None else open_footage(depth)
        self._forced_fps = fps
        counts = [footage.frame_count for footage in (self.footage, self.depth) if footage is not None]
        if len(counts) == 2 and None not in counts and counts[0] != counts[1]:
            raise InvalidInputError(
                f"the clip has {counts[0]} frames and the depth {counts[1]}; they must be equally long"
            )

    @property
    def first_number(self) -> int:
        """Of the clip's first frame."""
        return self.footage.first_number

    @property
    def fps(self) -> Fraction:
        """Frames per second: as told, as the source says, or 24."""
        return self._forced_fps or self.footage.info.fps or DEFAULT_FPS

    @property
    def time_base(self) -> Fraction:
        """Seconds."""
        return self.footage.time_base if self._forced_fps is None else 1 / self._forced_fps

    @property
    def sound_source(self) -> Path | None:
        """Where sound comes from; not where another rate would part it from the picture."""
        path = self.footage.path
        return path if path.is_file() and self.footage.frame_count is None and self._forced_fps is None else None

    @property
    def info(self) -> ClipInfo:
        """What the source says besides its pixels."""
        return self.footage.info

    @property
    def format(self) -> FrameFormat:
        """Of each frame."""
        return self.footage.format

    def time_of(self, frame: SourceFrame) -> int:
        """When a frame is shown, in `time_base`."""
        return frame.frame.time if self._forced_fps is None else frame.number - self.first_number

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know of the clip and of its depth; complete once they are read."""
        return (*self.footage.notes, *(() if self.depth is None else self.depth.notes))

    @property
    def frame_step(self) -> int:
        """How long a frame lasts where nothing else is known, in `time_base`."""
        return max(1, round(1 / (self.fps * self.time_base)))

    def refuse_if_cut_short(self) -> None:
        """Raise UnreadableError when the clip or its depth ends before its file says it does."""
        for footage in (self.footage, self.depth):
            if footage is not None and footage.missing_bytes:
                raise UnreadableError(
                    f"{footage.path} is cut short: {footage.missing_bytes} bytes of it are missing; get a whole copy, "
                    "or say with last = N (--last N) up to which frame it shall do"
                )

    def read(self, since: int) -> Iterator[SourceFrame]:
        """Frames from number `since` to the end.

        Raises ShapeError when the depth ends at another frame than the clip.
        """
        number = since
        depths = None if self.depth is None else self.depth.frames(since - self.first_number)
        for frame in self.footage.frames(since - self.first_number):
            yield SourceFrame(number, frame, self._depth_of(depths, number))
            number += 1
        if depths is not None and next(depths, None) is not None:
            found = number - self.first_number
            raise ShapeError(f"the clip ends after {found} frames, the depth does not; they must be equally long")

    def _depth_of(self, depths: Iterator[FootageFrame] | None, number: int) -> np.ndarray | None:
        if depths is None:
            return None
        frame = next(depths, None)
        if frame is None:
            count = number - self.first_number
            raise ShapeError(f"the depth ends after {count} frames, before the clip; they must be equally long")
        return frame.image


def up_to(frames: Iterator[SourceFrame], last: int | None, path: Path) -> Iterator[SourceFrame]:
    """Frames to number `last`, taken from `frames` and no more. Raises UnreadableError when there are fewer."""
    number = None
    for frame in frames:
        number = frame.number
        yield frame
        if number == last:
            return
    if last is not None:
        where = "has no frame from there on" if number is None else f"ends with frame {number}"
        raise UnreadableError(f"{path} {where}; frame {last} was asked for: name frames that it has")


def as_tensor(images: list[np.ndarray], frame_format: FrameFormat, channels: int) -> np.ndarray:
    """(T, channels, H, W) float32 as the model takes it; an image that comes twice in a row is read once."""
    stacked = np.empty((len(images), frame_format.height, frame_format.width, channels), np.float32)
    tensor = stacked.transpose(0, 3, 1, 2)
    for index, image in enumerate(images):
        if index and image is images[index - 1]:
            stacked[index] = stacked[index - 1]
        else:
            decode_frame(np.ascontiguousarray(image).data.cast("B"), frame_format, tensor[index])
    return tensor
