"""Damage of H.264 that no decoder marks: a bit turned over that still decodes, to other pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from service.batch.outputs.picture_writer import OutputFile
from service.batch.sources.av_footage import AvFootage
from service.batch.sources.ffmpeg_complaints import ffmpeg_complaints

av = pytest.importorskip("av")

KINDS = {
    "plain": ("s.mp4", {}),
    "interlaced": ("s.mkv", {"flags": "+ildct+ilme", "x264-params": "tff=1"}),
    "slices": ("s.mov", {"x264-params": "slices=2"}),
    "units of the transport stream": ("s.ts", {}),
}


def packets_of(path: Path) -> list[tuple[int, int]]:
    with av.open(str(path)) as container:
        return [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]


def read(path: Path) -> tuple[list[bytes], tuple[str, ...]]:
    with ffmpeg_complaints() as complaints:
        footage = AvFootage(path)
        frames = [np.ascontiguousarray(frame.image).tobytes() for frame in footage.frames()]
    return frames, (*footage.notes, *complaints)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_told_of_a_sound_clip(make_video, kind):
    name, options = KINDS[kind]
    source = make_video(name, encoder="libx264", pixel_format="yuv420p", frames=12, size=(96, 64), options=options)
    frames, told = read(source)
    assert len(frames) == 12
    assert not [text for text in told if "interlaced" not in text]


def silently_damaged(source: Path) -> Path:
    """The first of a fixed row of damages that FFmpeg passes over: no error, no log, another picture."""
    content, (sound, _) = source.read_bytes(), plain_reading(source)
    start, size = packets_of(source)[0]
    for bit in range(8 * size // 2, 8 * size):
        spoiled = bytearray(content)
        spoiled[start + bit // 8] ^= 1 << bit % 8
        source.write_bytes(spoiled)
        frames, complaints = plain_reading(source)
        if frames != sound and not complaints:
            return source
    raise AssertionError("FFmpeg told every damage; this test needs another clip")


def plain_reading(path: Path) -> tuple[list[bytes], list[str]]:
    """Frames by FFmpeg alone, and what it says of them."""
    frames: list[bytes] = []
    with ffmpeg_complaints() as complaints, av.open(str(path)) as container:
        container.streams.video[0].codec_context.thread_count = 1
        try:
            for frame in container.decode(video=0):
                frames.append(frame.to_ndarray().tobytes() + bytes([frame.is_corrupt]))
        except av.error.FFmpegError:
            return frames, ["refused"]
    return frames, complaints


def test_a_bit_that_ffmpeg_passes_over_is_told_with_its_time(make_video, render, tmp_path, capsys):
    source = silently_damaged(
        make_video("s.mp4", encoder="libx264", pixel_format="yuv420p", frames=2, size=(64, 64), options={"crf": "30"})
    )
    assert render(source, OutputFile("right", tmp_path / "o.mkv")) == 0
    told = capsys.readouterr().err
    assert "s.mp4: the frame 0.000 s after the first is damaged, though FFmpeg decodes it without a word" in told


def test_damage_of_the_depth_clip_is_told(make_video, make_run, render, tmp_path, capsys):
    from model.settings import Settings

    depth = silently_damaged(
        make_video("d.mp4", encoder="libx264", pixel_format="yuv420p", frames=2, size=(64, 64), options={"crf": "30"})
    )
    settings = Settings(window=1, depth_source="clip")
    assert render(make_run(count=2), OutputFile("right", tmp_path / "o"), depth=depth, settings=settings) == 0
    assert "d.mp4: the frame 0.000 s after the first is damaged" in capsys.readouterr().err
