"""Writes video by PyAV: frames are compressed part by part, and joined with the source's sound at the end.

A part is one run of the encoder, so a part that was made again after a crash has the same bytes.
"""

from __future__ import annotations

import heapq
import os
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
from av.codec.codec import UnknownCodecError
from av.codec.context import Flags
from av.video.frame import VideoFrame

from model.errors import InvalidInputError
from service.batch.durable import make_folder_of, put_in_place
from service.batch.errors import WriteError, write_error
from service.batch.media.clip_info import DEFAULT_FPS, RANGE_FULL, RANGE_LIMITED, VideoColour
from service.batch.media.mov_boxes import add_boxes, hdr_boxes, stereo_boxes
from service.batch.media.planar_yuv import PlanarCodec
from service.batch.media.video_codecs import (
    CODECS,
    choose_pixel_format,
    default_codec,
    encoder_options,
    planar_format,
    says_range,
    with_colour_volume,
)
from service.batch.outputs.packet_file import EncodedFrame, PacketFile, count_packets, read_packets
from service.batch.outputs.passthrough import PassedThrough
from service.batch.outputs.picture_writer import Delivery, FrameLabel, OutputFile, PictureWriter, TimeSpan

_MATROSKA_STEREO = {"sbs": "left_right", "tb": "top_bottom", "vr180": "left_right"}


class AvWriter(PictureWriter):
    """One video file."""

    def __init__(self, output: OutputFile, delivery: Delivery, work: Path) -> None:
        source_format = planar_format(delivery.info.pixel_format)
        assert source_format is not None
        self._output, self._delivery, self._work = output, delivery, work
        width, height = delivery.format.width, delivery.format.height
        suffix = output.path.suffix.lower()
        name = output.codec or default_codec(suffix, source_format)
        info = replace(delivery.info, pixel_format=_with_alpha(source_format.name, delivery.format.channels))
        planar = choose_pixel_format(name, info, width, height)
        self._encoder = CODECS[name].encoder
        self._colour = _colour_for(planar.is_rgb, source_format.is_rgb, delivery.info.colour)
        limited = self._colour.range == RANGE_FULL and not (planar.is_rgb or says_range(name, suffix))
        if limited:
            self._colour = replace(self._colour, range=RANGE_LIMITED)
        self._pixels = PlanarCodec(planar, height, width, self._colour.matrix, self._colour.range)
        self._options = encoder_options(name, info, output.options)
        self.format = replace(delivery.format, dtype=np.dtype("<f4"), channels=4 if planar.has_alpha else 3)
        self.notes = [f"{output.path.name}: {name}, {planar.name}"]
        if planar.bits < min(source_format.bits, 16):
            self.notes.append(
                f"{output.path.name}: {name} keeps {planar.bits} of the source's {source_format.bits} bits"
            )
        if limited:
            self.notes.append(
                f"{output.path.name}: limited range, for it cannot say that codes are full range as the source's are"
            )
        self._file: PacketFile | None = None
        self._context: Any = None
        self._try_encoder()  # now, rather than after the first window

    def begin(self, part: str) -> None:
        """Start an encoder for this part alone."""
        try:
            self._work.mkdir(parents=True, exist_ok=True)
            self._file = PacketFile(self._work / f"{part}.packets")
        except OSError as error:
            raise write_error(self._work, error) from None
        self._context = self._configured(self._new_context())

    def write(self, image: np.ndarray, label: FrameLabel) -> int:
        """Compress one frame."""
        planes, clamped = self._pixels.from_rgb(image)
        frame = VideoFrame(self._pixels.width, self._pixels.height, self._pixels.format.name)
        for plane, codes in zip(frame.planes, planes, strict=True):
            _fill(plane, codes)
        frame.pts, frame.time_base = label.time, self._delivery.time_base
        _set_colour(frame, self._colour)  # ProRes and DNxHR write what each frame says
        self._append(frame)
        return clamped

    def end(self) -> None:
        """Take what the encoder still holds."""
        self._append(None)
        assert self._file is not None
        self._file.close()
        self._file = self._context = None

    def abandon(self) -> None:
        """Let the file go; it is replaced when the part's turn comes again."""
        if self._file is not None:
            self._file.abandon()
            self._file = self._context = None

    def holds(self, part: str, numbers: range) -> bool:
        """Whether the part's file has each of the frames."""
        try:
            return count_packets(self._part_file(part)) == len(numbers)
        except OSError:
            return False

    def finish(self, parts: Sequence[str], span: TimeSpan | None) -> None:
        """Join the parts, the sound and what else the source has; then rename."""
        path, info = self._output.path, self._delivery.info
        partial = path.with_name(f".{path.stem}.partial-{os.getpid()}{path.suffix}")
        make_folder_of(path)
        try:
            self._join(parts, partial, span)
            if path.suffix.lower() in (".mov", ".mp4"):
                add_boxes(partial, hdr_boxes(info.mastering, info.light) + stereo_boxes(self._output.kind))
            elif (info.mastering or info.light) and "x26" not in self._encoder:
                self.notes.append(f"{path.name}: HDR mastering data is not kept in {path.suffix}; use .mov")
            put_in_place(partial, path)
        except (av.error.FFmpegError, OSError) as error:
            raise (error if isinstance(error, WriteError) else write_error(path, _as_os_error(error))) from None
        finally:
            partial.unlink(missing_ok=True)

    def existing(self) -> Path | None:
        """The video."""
        return self._output.path if self._output.path.exists() else None

    def _join(self, parts: Sequence[str], partial: Path, span: TimeSpan | None) -> None:
        delivery = self._delivery
        with av.open(str(partial), "w") as container:
            stream = container.add_stream(self._encoder, rate=delivery.info.fps or DEFAULT_FPS)
            self._configured(stream.codec_context)
            stream.time_base = delivery.time_base
            self._tag(container, stream)
            passed = PassedThrough(delivery, container, self._output.path.name, span)
            self.notes += passed.notes
            shift = span[0] if span is not None else 0
            frames = (frame for part in parts for frame in read_packets(self._part_file(part)))
            packets = (self._packet(frame, stream, shift) for frame in frames)
            timed = ((Fraction(packet.pts or 0) * delivery.time_base, packet) for packet in packets)
            for _, packet in heapq.merge(timed, passed.packets(), key=lambda entry: entry[0]):
                container.mux(packet)
            passed.close()

    def _packet(self, frame: EncodedFrame, stream: Any, shift: int) -> av.Packet:
        packet = av.Packet(frame.data)
        packet.stream, packet.time_base = stream, self._delivery.time_base
        packet.pts = packet.dts = frame.time - shift
        packet.duration, packet.is_keyframe = frame.duration, frame.is_keyframe
        return packet

    def _part_file(self, part: str) -> Path:
        return self._work / f"{part}.packets"

    def _tag(self, container: Any, stream: Any) -> None:
        if (timecode := self._delivery.info.timecode) is not None:
            container.metadata["timecode"] = str(timecode)
        if self._encoder.startswith(("libx265", "hevc")) and self._output.path.suffix.lower() != ".mkv":
            stream.codec_context.codec_tag = "hvc1"  # what QuickTime asks for
        layout = _MATROSKA_STEREO.get(self._output.kind.partition("-")[0])
        if layout is not None and self._output.path.suffix.lower() == ".mkv":
            stream.metadata["stereo_mode"] = layout

    def _append(self, frame: VideoFrame | None) -> None:
        assert self._file is not None
        try:
            packets = self._context.encode(frame)
        except av.error.FFmpegError as error:
            raise WriteError(f"{self._output.path}: {self._encoder} failed ({error.strerror})") from None
        for packet in packets:
            if not packet.size:
                continue
            data = bytes(packet)
            if self._encoder == "dnxhd":
                data = with_colour_volume(data, self._colour.matrix)
            self._file.append(EncodedFrame(packet.pts, packet.duration or 0, packet.is_keyframe, data))

    def _try_encoder(self) -> None:
        """Raise InvalidInputError when this PyAV has no such encoder, or it refuses the size or an option."""
        try:
            context = self._configured(self._new_context())
            context.open()
        except UnknownCodecError:
            raise InvalidInputError(f"this PyAV has no {self._encoder}; use prores, dnxhr-hqx or ffv1") from None
        except (av.error.FFmpegError, ValueError) as error:
            size = f"{self._pixels.width} x {self._pixels.height}"
            raise InvalidInputError(
                f"{self._encoder} refuses {size} {self._pixels.format.name} with {self._options} "
                f"({getattr(error, 'strerror', None) or error}); DNxHR needs 256 x 120 at least"
            ) from None
        if unknown := sorted(set(context.options) & set(self._output.options)):
            raise InvalidInputError(f"{self._encoder} has no option {', '.join(unknown)}; see ffmpeg -h encoder=…")

    def _new_context(self) -> Any:
        return av.CodecContext.create(self._encoder, "w")

    def _configured(self, context: Any) -> Any:
        """Set an encoder; the one that joins gets the same, so that its header fits the parts."""
        delivery = self._delivery
        context.width, context.height = self._pixels.width, self._pixels.height
        context.pix_fmt = self._pixels.format.name
        context.time_base = delivery.time_base
        context.framerate = delivery.info.fps or DEFAULT_FPS
        context.sample_aspect_ratio = delivery.info.pixel_aspect
        _set_colour(context, self._colour)
        context.flags |= Flags.global_header
        context.options = dict(self._options)
        return context


def _with_alpha(name: str, channels: int) -> str:
    return name if channels == 4 else name.replace("yuva", "yuv").replace("gbra", "gbr")


def _colour_for(target_is_rgb: bool, source_is_rgb: bool, colour: VideoColour) -> VideoColour:
    """Primaries and transfer stay; RGB has no matrix, and YUV made of RGB gets one."""
    if target_is_rgb:
        return replace(colour, matrix=0, range=RANGE_FULL)
    return replace(colour, matrix=2, range=RANGE_LIMITED) if source_is_rgb else colour


def _as_os_error(error: av.error.FFmpegError | OSError) -> OSError:
    return error if isinstance(error, OSError) else OSError(error.errno, error.strerror)


def _set_colour(target: Any, colour: VideoColour) -> None:
    target.color_primaries, target.color_trc = colour.primaries, colour.transfer
    target.colorspace, target.color_range = colour.matrix, colour.range


def _fill(plane: Any, codes: np.ndarray) -> None:
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
    content = codes.view(np.uint8).reshape(codes.shape[0], -1)
    rows[: content.shape[0], : content.shape[1]] = content
