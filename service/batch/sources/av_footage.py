"""Reads a video by PyAV: any bit depth, exact colours, HDR, timecode, and each frame's own time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
from av.format import Flags as FormatFlags
from av.stream import Disposition
from av.video.frame import VideoFrame

from model.errors import FrameFormatError
from service.batch.errors import UnreadableError
from service.batch.media.clip_info import DEFAULT_FPS
from service.batch.media.planar_yuv import PlanarCodec, planar_format
from service.batch.sources.av_clip_info import clip_info, colour_of, what_is_lost
from service.batch.sources.footage import Footage, FootageFrame, format_of
from service.batch.sources.h264_check import H264Check, check_of
from service.batch.sources.whole_file import missing_bytes

# Formats that are packed another way -> planar ones that hold the same codes; swscale only moves them.
_UNPACKED = {
    "nv12": "yuv420p", "nv21": "yuv420p", "nv16": "yuv422p", "nv24": "yuv444p", "yuyv422": "yuv422p",
    "uyvy422": "yuv422p", "p010le": "yuv420p10le", "p012le": "yuv420p12le", "p016le": "yuv420p16le",
    "p210le": "yuv422p10le", "y210le": "yuv422p10le", "rgb24": "gbrp", "bgr24": "gbrp", "rgb0": "gbrp",
    "bgr0": "gbrp", "0rgb": "gbrp", "0bgr": "gbrp", "pal8": "gbrap", "rgba": "gbrap", "bgra": "gbrap", "argb": "gbrap",
    "abgr": "gbrap", "rgb48le": "gbrp16le", "rgb48be": "gbrp16le", "rgba64le": "gbrap16le", "rgba64be": "gbrap16le",
    "x2rgb10le": "gbrp10le", "yuv422p10be": "yuv422p10le", "gray16be": "gray16le", "gbrp10be": "gbrp10le",
}  # fmt: skip


class AvFootage(Footage):
    """A video file as float RGB that decodes and encodes to the same codes; turned upright where it says so."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.frame_count = None
        self.first_number = 0
        self.missing_bytes = missing_bytes(path)
        with self._opened() as (container, stream):
            frame = next(self._decoded(container, stream), None)
            if frame is None:
                raise UnreadableError(f"{path} has no video frame that can be read; is it complete?")
            self._quarter_turns = frame.rotation // 90 % 4
            self._planar_name = _planar_name(frame.format.name, path)
            self._colour = colour_of(frame, stream.codec_context)
            self.format = format_of(self._image(frame))
            self.info = clip_info(container, stream, frame, self._planar_name, self._colour, self._quarter_turns)
            self.time_base = stream.time_base or 1 / (self.info.fps or DEFAULT_FPS)
            self.reported_count = stream.frames or _count_by_time(container, stream)
            self.starts_anywhere = bool(container.format.flags & FormatFlags.ts_discont.value)  # MPEG streams
            self.notes = what_is_lost(path, frame)

    def frames(self, start: int = 0) -> Iterator[FootageFrame]:
        """Decode to the end; frames before `start` are decoded, not converted, so that numbers never slip."""
        with self._opened() as (container, stream):
            step = 1 / (self.time_base * (self.info.fps or DEFAULT_FPS))
            earliest = -(1 << 62)
            for index, frame in enumerate(self._decoded(container, stream, check_of(stream))):
                time = frame.pts if frame.pts is not None else round(index * step)
                time = max(time, earliest)  # two frames at one time would be one
                earliest = time + 1
                if index < start:
                    continue
                image = self._image(frame)
                if format_of(image) != self.format:
                    raise FrameFormatError(f"{self.path}: frame {index} is {format_of(image)}, the first {self.format}")
                yield FootageFrame(image, time)

    @contextmanager
    def _opened(self) -> Iterator[tuple[Any, Any]]:
        """The container and its picture."""
        try:
            container = av.open(str(self.path))
        except (av.error.FFmpegError, OSError) as error:
            raise UnreadableError(
                f"{self.path} is no video or image that can be read ({_reason(error)}); is it complete?"
            ) from None
        with container:
            stream = _picture(container, self.path)
            try:
                yield container, stream
            finally:
                # FFmpeg's threads take Python's lock to log. PyAV holds it while it waits for them to end, for ever;
                # here it lets go of it, and they have nothing left to do.
                stream.codec_context.flush_buffers()

    def _decoded(self, container: Any, stream: Any, check: H264Check | None = None) -> Iterator[VideoFrame]:
        stream.thread_type = "AUTO"
        stream.codec_context.options = {**stream.codec_context.options, "err_detect": "crccheck"}  # where there are any
        count = 0
        try:
            for packet in container.demux(stream):
                if check is not None and packet.size and check.runs_on(packet):
                    self._note_silent_damage(packet, stream, count)
                for frame in packet.decode():
                    if frame.is_corrupt:
                        raise UnreadableError(
                            f"{self.path}: frame {count} is damaged; get a whole copy, or end before it"
                        )
                    yield frame
                    count += 1
        except av.error.FFmpegError as error:
            raise UnreadableError(
                f"{self.path}: frame {count} cannot be decoded ({_reason(error)}); get a whole copy, or end before it"
            ) from None

    def _note_silent_damage(self, packet: Any, stream: Any, count: int) -> None:
        time = None if packet.pts is None else float((packet.pts - (stream.start_time or 0)) * packet.time_base)
        where = f"a frame soon after number {count}" if time is None else f"the frame {time:.3f} s after the first"
        note = f"{self.path.name}: {where} is damaged, though FFmpeg decodes it without a word; get a whole copy"
        if note not in self.notes:
            self.notes += (note,)

    def _image(self, frame: VideoFrame) -> np.ndarray:
        if frame.format.name != self._planar_name:
            if _UNPACKED.get(frame.format.name) != self._planar_name:
                raise FrameFormatError(f"{self.path}: frames change from {self._planar_name} to {frame.format.name}")
            frame = frame.reformat(format=self._planar_name)
        planar = planar_format(self._planar_name)
        assert planar is not None
        codec = PlanarCodec(planar, frame.height, frame.width, self._colour.matrix, self._colour.range)
        image = codec.to_rgb([_plane(plane, planar.dtype, planar.plane_shape(index, frame.height, frame.width))
                              for index, plane in enumerate(frame.planes)])  # fmt: skip
        return np.ascontiguousarray(np.rot90(image, self._quarter_turns))


def _picture(container: Any, path: Path) -> Any:
    """The first stream that is a moving picture, not a cover."""
    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic:
            return stream
    kinds = ", ".join(sorted({stream.type for stream in container.streams})) or "nothing"
    raise UnreadableError(f"{path} has no picture, only {kinds}; a clip with video is needed")


def _count_by_time(container: Any, stream: Any) -> int | None:
    """About how many frames there are, where the file only says how long it is (Matroska)."""
    if container.duration is None or not stream.average_rate:
        return None
    return round(container.duration / av.time_base * stream.average_rate) or None


def _planar_name(name: str, path: Path) -> str:
    unpacked = _UNPACKED.get(name, name)
    if planar_format(unpacked) is None:
        raise FrameFormatError(f"{path} has pixels of the kind {name}, which is not read; convert it to yuv or rgb")
    return unpacked


def _plane(plane: Any, dtype: np.dtype, shape: tuple[int, int]) -> np.ndarray:
    """A plane without the padding of its rows."""
    rows = np.frombuffer(plane, np.uint8).reshape(-1, abs(plane.line_size))[: shape[0], : shape[1] * dtype.itemsize]
    return np.ascontiguousarray(rows).view(dtype)


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", "") or error)
