"""What a video says besides its pixels, off its container, its stream and its first frame, as PyAV tells it."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

from av.sidedata.sidedata import Type as SideDataType
from av.video.frame import VideoFrame

from service.batch.media.clip_info import (
    RANGE_FULL,
    UNSPECIFIED,
    ClipInfo,
    ContentLight,
    MasteringDisplay,
    Timecode,
    VideoColour,
)


def colour_of(frame: VideoFrame, container_says: Any) -> VideoColour:
    """What each frame says, or where it is silent, `container_says`, the decoder that was set up by the container."""

    def said(name: str) -> int:
        value = int(getattr(frame, name))
        return value if value != UNSPECIFIED else int(getattr(container_says, name))

    full = frame.format.name.startswith("yuvj") or RANGE_FULL in (frame.color_range, container_says.color_range)
    colour_range = RANGE_FULL if full else int(frame.color_range)
    return VideoColour(said("color_primaries"), said("color_trc"), said("colorspace"), colour_range)


def clip_info(
    container: Any, stream: Any, frame: VideoFrame, planar_name: str, colour: VideoColour, quarter_turns: int
) -> ClipInfo:
    """Gather what the container, the picture's stream and its first frame say.

    planar_name    FFmpeg's name of the pixels that would lose nothing
    quarter_turns  by which the picture is turned upright: an odd number swaps a pixel's width and height
    """
    aspect = stream.sample_aspect_ratio or Fraction(1)
    side = {entry.type: bytes(entry) for entry in _side_data(frame)}
    return ClipInfo(
        fps=stream.average_rate or stream.guessed_rate or None,
        timecode=_timecode(container),
        pixel_aspect=1 / aspect if quarter_turns % 2 else aspect,
        pixel_format=planar_name,
        colour=colour,
        mastering=_mastering(side.get(SideDataType.MASTERING_DISPLAY_METADATA)),
        light=_light(side.get(SideDataType.CONTENT_LIGHT_LEVEL)),
    )


def what_is_lost(path: Path, frame: VideoFrame) -> tuple[str, ...]:
    """What of the first frame is not carried on, one sentence each."""
    notes = []
    if frame.interlaced_frame:
        notes.append(f"{path.name} is interlaced: its frames mix two moments; deinterlace it first")
    kinds = {entry.type for entry in _side_data(frame)}
    if kinds & {SideDataType.DYNAMIC_HDR_PLUS, SideDataType.DOVI_METADATA, SideDataType.DOVI_RPU_BUFFER}:
        notes.append(f"{path.name} has HDR10+ or Dolby Vision data, which are not carried on; static HDR data are")
    return tuple(notes)


def _side_data(frame: VideoFrame) -> list[Any]:
    entries: Any = frame.side_data  # its type stubs are wrong
    return [entries[index] for index in range(len(entries))]


def _timecode(container: Any) -> Timecode | None:
    """Of the file, or of any of its streams: MOV has a stream for it, Matroska and MXF a tag."""
    tags = [container.metadata, *(stream.metadata for stream in container.streams)]
    texts = [value for tag in tags for name, value in tag.items() if name.lower() == "timecode"]
    return next((parsed for text in texts if (parsed := Timecode.parse(text))), None)


def _mastering(data: bytes | None) -> MasteringDisplay | None:
    """AVMasteringDisplayMetadata: ten rationals, then whether primaries and luminance are known."""
    if data is None or len(data) < 88:
        return None
    numbers = struct.unpack_from("22i", data)
    if not (numbers[20] and numbers[21]):
        return None
    red_x, red_y, green_x, green_y, blue_x, blue_y, white_x, white_y, low, high = (
        Fraction(numbers[i], numbers[i + 1] or 1) for i in range(0, 20, 2)
    )
    return MasteringDisplay((red_x, red_y), (green_x, green_y), (blue_x, blue_y), (white_x, white_y), low, high)


def _light(data: bytes | None) -> ContentLight | None:
    return ContentLight(*struct.unpack_from("2I", data)) if data is not None and len(data) >= 8 else None
