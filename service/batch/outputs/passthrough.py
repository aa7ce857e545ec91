"""Sound, subtitles and attachments of the source, copied without decoding into a new file."""

from __future__ import annotations

import io
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av
import av.error
from av import logging

from service.batch.outputs.picture_writer import Delivery, TimeSpan

_COPIED = ("audio", "subtitle", "attachment")
_OF_THE_FILE = ("timecode", "major_brand", "minor_version", "compatible_brands", "encoder")


class PassedThrough:
    """The streams of the source beside its picture.

    notes  what the new container cannot hold
    """

    def __init__(self, delivery: Delivery, target: Any, name: str, span: TimeSpan | None) -> None:
        self.notes: list[str] = []
        self._streams: dict[int, Any] = {}  # index in the source -> stream of the target
        self._source: Any = None
        self._span = span
        self._time_base = delivery.time_base
        if delivery.source is None:
            return
        self._source = av.open(str(delivery.source))
        tags = self._source.metadata.items()
        target.metadata.update({tag: text for tag, text in tags if tag.lower() not in _OF_THE_FILE})
        for stream in self._source.streams:
            if stream.type in _COPIED:
                self._add(stream, target, name)

    def _add(self, stream: Any, target: Any, name: str) -> None:
        if not _goes_into(stream, target.format.name):
            self.notes.append(f"{name}: {stream.type} of the kind {_kind(stream)} does not go into it and was left out")
            return
        copied = target.add_stream_from_template(stream)
        copied.metadata.update(stream.metadata)
        copied.disposition = stream.disposition
        self._streams[stream.index] = copied

    def packets(self) -> Iterator[tuple[Fraction, Any]]:
        """(seconds, packet) in the order of the file; only what lies in the rendered span, moved to its start."""
        wanted = [stream for stream in self._source.streams if stream.index in self._streams] if self._source else []
        wanted = [stream for stream in wanted if stream.type != "attachment"]
        if not wanted:
            return
        start, end = self._seconds()
        for packet in self._source.demux(wanted):
            if packet.pts is None or packet.dts is None:
                continue  # the empty packet that ends a stream
            seconds = packet.pts * packet.time_base
            if seconds < start or (end is not None and seconds >= end):
                continue
            if self._span is not None:
                shift = round(start / packet.time_base)
                packet.pts -= shift
                packet.dts -= shift
            packet.stream = self._streams[packet.stream.index]
            yield packet.dts * packet.time_base, packet

    def _seconds(self) -> tuple[Fraction, Fraction | None]:
        if self._span is None:
            return Fraction(-(10**9)), None
        start, end = self._span
        return start * self._time_base, end * self._time_base

    def close(self) -> None:
        """Close the source."""
        if self._source is not None:
            self._source.close()


def _goes_into(stream: Any, container_format: str) -> bool:
    """Whether a container takes a stream. Some know only when they write their header: FLAC in .mov."""
    if stream.type == "attachment":
        return container_format == "matroska"  # alone it is no file
    try:
        # What FFmpeg says of a stream that is left out is no fault of the clip.
        with logging.Capture(), av.open(io.BytesIO(), "w", format=container_format) as trial:
            trial.add_stream_from_template(stream)
            trial.start_encoding()
    except (ValueError, av.error.FFmpegError):
        return False
    return True


def _kind(stream: Any) -> str:
    return stream.codec_context.name if stream.codec_context is not None else stream.type
