"""Finds H.264 pictures that decode without complaint although bits of them were changed.

FFmpeg stops at a picture's last macroblock and does not ask whether the data end there. A flipped bit puts arithmetic
decoding out of step, and then they hardly ever do. So a second decoder is told that the pictures are taller than they
are: sound data say where they end, on the last real row; those out of step run on, into nonsense that it complains of.
"""

from __future__ import annotations

import re
from typing import Any

import av
import av.error
from av import logging

from service.batch.media.h264_headers import TallerHeaders, made_taller, packet_made_taller

_MORE_BLOCKS = 1024
"""Macroblocks beyond the picture. Nonsense holds an end of data about every 150th; it complains sooner, mostly."""

_RUNS_ON = re.compile(r"error while decoding MB -?\d+ (\d+)")
_ONLY_PARSE = {"ec": "0", "skip_loop_filter": "all", "skip_idct": "all"}
"""No concealing, no filter, no transform: what is decoded is thrown away, and parsing needs no pixels."""


class H264Check:
    """Takes the packets of a stream in their order, beside the decoder.

    It hears FFmpeg only while `ffmpeg_complaints` listens.
    """

    def __init__(self, headers: TallerHeaders) -> None:
        self._headers = headers
        self._decoder: Any = av.CodecContext.create("h264", "r")
        self._decoder.extradata = headers.extradata
        self._decoder.thread_count = 1  # what is logged is logged in this thread, of this packet
        self._decoder.options = _ONLY_PARSE

    def runs_on(self, packet: Any) -> bool:
        """Whether the data of a packet go on beyond its picture."""
        with logging.Capture() as lines:
            try:
                self._decoder.decode(self._taller(packet))
            except av.error.FFmpegError:
                return False  # the real decoder fails alike
        rows = (int(found[1]) for _, _, text in lines if (found := _RUNS_ON.search(text)))
        return any(row >= self._headers.rows for row in rows)

    def _taller(self, packet: Any) -> av.Packet:
        data = bytes(packet)
        taller = packet_made_taller(data, self._headers.length_bytes, _MORE_BLOCKS)
        return packet if taller is data or taller == data else av.Packet(taller)


def check_of(stream: Any) -> H264Check | None:
    """A check for the packets of a stream; None when it is no H.264, or has no header that can be read."""
    if stream.codec_context.name != "h264" or not stream.codec_context.extradata:
        return None
    headers = made_taller(stream.codec_context.extradata, _MORE_BLOCKS)
    return None if headers is None else H264Check(headers)
