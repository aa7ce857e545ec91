"""FFmpeg's own words about a damaged clip: each is heard, and listening never hangs."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

from service.batch.outputs.picture_writer import OutputFile

av = pytest.importorskip("av")

STOPS_EARLY = """
    import sys
    from pathlib import Path
    from service.batch.sources.av_footage import AvFootage
    from service.batch.sources.ffmpeg_complaints import ffmpeg_complaints

    footage = AvFootage(Path(sys.argv[1]))
    for _ in range(40):
        with ffmpeg_complaints():
            frames = footage.frames()
            next(frames)
            frames.close()
"""


def spoiled(source, since: int, flips: int):
    """The same clip with some bits of each frame from `since` on turned over."""
    with av.open(str(source)) as container:
        packets = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    content = bytearray(source.read_bytes())
    for start, size in packets[since:]:
        for flip in range(1, 1 + flips):
            content[start + size * flip // (flips + 1)] ^= 0x10
    source.write_bytes(content)
    return source


def test_reading_that_stops_while_other_threads_complain_does_not_hang(make_video):
    """Closing a decoder waits for its threads; one of them may wait for Python, to tell what it found."""
    source = make_video("s.mp4", encoder="libx264", pixel_format="yuv420p", frames=40, size=(96, 160))
    spoiled(source, since=1, flips=6)
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(STOPS_EARLY), str(source)], capture_output=True, text=True, timeout=100
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_the_same_fault_in_two_clips_is_told_of_both(make_video, render, tmp_path, capsys):
    for name in ("a.mkv", "b.mkv"):
        source = make_video(name, options={"level": "3", "slicecrc": "1"}, frames=3)
        spoiled(source, since=2, flips=1)
        assert render(source, OutputFile("right", tmp_path / f"o_{name}")) == 0
        assert "FFmpeg found fault (ffv1)" in capsys.readouterr().err, name
