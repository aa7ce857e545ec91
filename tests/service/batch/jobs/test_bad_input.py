"""Clips and disks that are not as they should be: an error that says so, and its own exit code."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from service.batch.media.clip_info import ClipInfo
from service.batch.media.image_io import NO_HEADER, read_image, write_image
from service.batch.outputs.picture_writer import OutputFile
from service.batch.sources.footage import open_footage

UNREADABLE, CANNOT_WRITE = 3, 5


@pytest.mark.parametrize(
    ("name", "encoder", "options"),
    [
        ("s.mkv", "ffv1", {}),
        ("s.mov", "prores_ks", {"movflags": "faststart"}),
        ("s.mov", "prores_ks", {}),
        ("s.mp4", "libx264", {"movflags": "faststart"}),
    ],
    ids=["mkv", "mov", "mov without its index", "mp4"],
)
def test_a_clip_that_was_cut_short_is_not_taken_for_a_shorter_one(
    make_video, render, tmp_path, capsys, name, encoder, options
):
    pixel_format = "yuv422p10le" if encoder == "prores_ks" else "yuv420p10le"
    source = make_video(name, encoder=encoder, pixel_format=pixel_format, container_options=options, frames=30)
    source.write_bytes(source.read_bytes()[: source.stat().st_size * 2 // 3])
    assert render(source, OutputFile("right", tmp_path / "o.mkv")) == UNREADABLE
    assert str(source) in capsys.readouterr().err
    assert not (tmp_path / "o.mkv").exists()


def test_the_frames_that_a_cut_clip_still_has_can_be_asked_for(make_video, render, tmp_path):
    source = make_video("s.mkv", frames=30)
    source.write_bytes(source.read_bytes()[: source.stat().st_size // 2])
    assert render(source, OutputFile("right", tmp_path / "o.mkv"), last=9) == 0
    assert len(list(open_footage(tmp_path / "o.mkv").frames())) == 10


def damaged(source: Path, frame: int) -> Path:
    """The same clip with noise in the data of one frame."""
    av = pytest.importorskip("av")
    with av.open(str(source)) as container:
        packets = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    start, size = packets[frame]
    content = bytearray(source.read_bytes())
    for at in range(start + size // 2, start + size // 2 + 40):
        content[at] ^= 0x5A
    source.write_bytes(content)
    return source


def test_a_damaged_frame_is_named(make_video, render, tmp_path, capsys):
    source = damaged(make_video("s.mov", encoder="prores_ks", pixel_format="yuv422p10le", frames=30), 12)
    assert render(source, OutputFile("right", tmp_path / "o.mkv")) == UNREADABLE
    assert "frame 12 is damaged" in capsys.readouterr().err


def test_damage_that_the_decoder_conceals_is_told(make_video, render, tmp_path, capsys):
    source = damaged(make_video("s.mkv", options={"level": "3", "slicecrc": "1"}, frames=30), 12)
    assert render(source, OutputFile("right", tmp_path / "o.mkv")) == 0
    assert "FFmpeg found fault (ffv1): slice CRC mismatch" in capsys.readouterr().err


def test_one_flipped_bit_of_our_own_hevc_is_told(make_video, render, tmp_path, capsys):
    """HEVC conceals nothing here: the bits still decode, to other pixels. Only the hash of the frame knows."""
    av = pytest.importorskip("av")
    whole = tmp_path / "whole.mp4"
    assert render(make_video("s.mkv", frames=20, size=(64, 96)), OutputFile("right", whole, "hevc")) == 0
    with av.open(str(whole)) as container:
        packets = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    content = whole.read_bytes()
    for frame in (3, 7, 12):
        start, size = packets[frame]
        spoiled = bytearray(content)
        spoiled[start + size // 2] ^= 1
        (tmp_path / f"{frame}.mp4").write_bytes(spoiled)
        capsys.readouterr()
        code = render(tmp_path / f"{frame}.mp4", OutputFile("right", tmp_path / f"o{frame}.mkv"))
        told = capsys.readouterr().err
        assert code == UNREADABLE or "FFmpeg found fault (hevc)" in told, told


def test_a_clip_without_a_frame_is_refused(make_video, render, tmp_path, capsys):
    source = make_video("s.mkv", frames=0)
    assert render(source, OutputFile("right", tmp_path / "o.mkv")) == UNREADABLE
    assert "s.mkv is no video or image that can be read" in capsys.readouterr().err


def test_a_clip_of_sound_alone_is_refused(make_video, render, tmp_path, capsys):
    av = pytest.importorskip("av")
    with_picture = make_video("s.mkv", sound=True)
    with av.open(str(with_picture)) as source, av.open(str(tmp_path / "a.mka"), "w", format="matroska") as target:
        stream = target.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(audio=0):
            if packet.pts is not None:
                packet.stream = stream
                target.mux(packet)
    assert render(tmp_path / "a.mka", OutputFile("right", tmp_path / "o.mkv")) == UNREADABLE
    assert "has no picture, only audio" in capsys.readouterr().err


def test_one_frame_is_a_clip(make_video, render, model, tmp_path):
    source = make_video("s.mkv", frames=1)
    assert render(source, OutputFile("right", tmp_path / "o.mkv")) == 0
    assert len(list(open_footage(tmp_path / "o.mkv").frames())) == 1


def test_odd_sizes_work_where_the_codec_can_and_are_refused_where_not(make_video, render, tmp_path, capsys):
    source = make_video("s.mkv", size=(35, 63), frames=2)
    assert render(source, OutputFile("right", tmp_path / "o.mkv", "ffv1")) == 0
    before, after = (list(open_footage(path).frames()) for path in (source, tmp_path / "o.mkv"))
    assert all(np.array_equal(a.image, b.image) for a, b in zip(before, after, strict=True))
    assert render(source, OutputFile("right", tmp_path / "o.mov", "prores")) == 1
    assert "prores needs even sizes; the output is 63 x 35" in capsys.readouterr().err
    assert render(source, OutputFile("right", tmp_path / "o.mp4", "h264")) == 0, "4:4:4 has no need of even sizes"


def test_a_range_that_the_clip_does_not_have_is_refused(make_run, render, tmp_path, capsys):
    source = make_run(count=5)
    assert render(source, OutputFile("right", tmp_path / "o"), first=104, last=110) == UNREADABLE
    assert "ends with frame 105; frame 110 was asked for" in capsys.readouterr().err
    assert render(source, OutputFile("right", tmp_path / "p"), first=200) == UNREADABLE
    assert "has no frame from 200 on" in capsys.readouterr().err


def test_depth_of_another_length_is_refused_before_anything_is_written(make_run, render, tmp_path, capsys):
    from model.settings import Settings

    source, depth = make_run("run", 5), make_run("depth", 4)
    settings = Settings(window=1, depth_source="clip")
    assert render(source, OutputFile("right", tmp_path / "o"), depth=depth, settings=settings) == 1
    assert "the clip has 5 frames and the depth 4" in capsys.readouterr().err
    assert not (tmp_path / "o").exists()


def test_depth_goes_with_its_frames(make_run, render, model, tmp_path):
    from model.settings import Settings

    source, settings = make_run("run", 3), Settings(window=1, depth_source="clip")
    assert render(source, OutputFile("right", tmp_path / "o"), depth=source, settings=settings, first=102) == 0
    assert all(np.array_equal(window.depth[:, 0], window.frames[:, 0]) for window in model.windows)


@contextmanager
def no_file_beyond(size: int) -> Iterator[None]:
    """As a disk that is full: writes past this size fail. Python ignores the signal that comes with it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("name", ["o.mkv", "o.mov", "o_%04d.exr"])
def test_a_full_disk_is_said_so_leaves_no_half_file_and_the_render_goes_on_later(
    make_video, render, tmp_path, capsys, name
):
    source, output = make_video("s.mkv", frames=30), OutputFile("left", tmp_path / "out" / name)
    with no_file_beyond(20_000):
        code = render(source, output)
    assert (code, "cannot write" in capsys.readouterr().err) == (CANNOT_WRITE, True)
    assert not list((tmp_path / "out").glob("[!.]*")), "neither the output nor a part of it bears a name"
    assert render(source, output) == 0
    frames = zip(open_footage(source).frames(), open_footage(output.path).frames(), strict=True)
    assert name == "o.mov" or all(np.array_equal(a.image, b.image) for a, b in frames)


def test_a_disk_that_fills_when_parts_are_joined_loses_none_of_them(make_video, render, model, tmp_path, capsys):
    source, output = make_video("s.mkv", frames=100), OutputFile("right", tmp_path / "o.mkv")
    with no_file_beyond(450_000):  # a part of 48 frames fits, the whole does not
        assert render(source, output) == CANNOT_WRITE
    assert "goes on there" in capsys.readouterr().err
    model.windows = []
    assert render(source, output) == 0
    assert model.windows == [], "nothing was computed twice"


def test_a_folder_that_cannot_be_made_is_an_error(make_run, render, tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    assert render(make_run(count=1), OutputFile("right", tmp_path / "file" / "sub" / "o.png")) == CANNOT_WRITE
    assert "cannot write" in capsys.readouterr().err


def test_one_image_name_holds_one_frame(make_run, render, tmp_path, capsys):
    assert render(make_run(count=2), OutputFile("right", tmp_path / "o.png")) == 1
    assert "one frame only" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "codec", "text"),
    [
        ("o.webm", None, "unknown kind .webm"),
        ("o.mp4", "ffv1", "--codec ffv1 does not go into .mp4; use h264, hevc"),
        ("o.mp4", "png", "--codec png does not go into .mp4"),
        ("folder", "h264", "for a video file; a folder takes png, tiff, exr, dpx"),
        ("o_%d.mov", None, "is a pattern; a video is one file"),
    ],
)
def test_a_name_or_codec_that_cannot_be_is_refused(make_run, render, tmp_path, capsys, name, codec, text):
    pytest.importorskip("av")
    assert render(make_run(count=1), OutputFile("right", tmp_path / name, codec)) == 1
    assert text in capsys.readouterr().err


def test_pixels_that_are_no_numbers_are_refused_by_the_real_model(tmp_path, capsys):
    from service.__main__ import main

    values = np.full((36, 64, 3), np.nan, np.float32)
    write_image(tmp_path / "s.exr", values, NO_HEADER, ClipInfo(), 0, 0)
    assert main(["render", str(tmp_path / "s.exr"), "-o", str(tmp_path / "o.exr"), "--set", "engine=none"]) == 1
    assert "NaN or infinite" in capsys.readouterr().err
    assert os.listdir(tmp_path) == ["s.exr"]


def test_a_full_folder_of_results_reads_back(make_run, render, tmp_path):
    assert render(make_run(count=2), OutputFile("right", tmp_path / "o.d" / "o_%03d.tif")) == 0
    assert read_image(Path(tmp_path / "o.d" / "o_101.tif"))[0].dtype == np.uint16
