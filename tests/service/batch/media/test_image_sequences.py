"""Runs of images in and out: pixels and what their headers say."""

from __future__ import annotations

import os
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from service.batch.media.clip_info import ClipInfo, Timecode
from service.batch.media.image_io import NO_HEADER, ImageHeader, info_of, read_image, write_image
from service.batch.outputs.picture_writer import OutputFile
from service.batch.sources.footage import open_footage

FPS, FIRST = Fraction(24000, 1001), Timecode(1, 2, 3, 22)
INFO = ClipInfo(
    FPS, FIRST, pixel_aspect=Fraction(2), color_space="lin_rec709_scene"
)  # fmt: skip
ATTRIBUTES = (("nuke/note", "string", "grain off"),)


def make_run(folder, suffix: str, dtype: str, count: int = 4, channels: int = 3, **header) -> None:
    folder.mkdir()
    for number in range(count):
        values = np.random.default_rng(number).random((36, 64, channels), np.float32)
        pixels = values.astype(dtype) if dtype[0] == "f" else (values * np.iinfo(dtype).max).astype(dtype)
        info = replace(INFO, timecode=FIRST.plus(number, FPS))
        write_image(folder / f"s.{1001 + number}{suffix}", pixels, ImageHeader(ATTRIBUTES, **header), info, number, 0)


@pytest.mark.parametrize(
    ("suffix", "dtype", "channels"),
    [(".exr", "f2", 3), (".exr", "f4", 4), (".dpx", "u2", 3), (".tif", "u2", 3), (".png", "u2", 4), (".tif", "f4", 3)],
)
def test_a_run_keeps_its_pixels_and_numbers(tmp_path, render, suffix, dtype, channels):
    make_run(tmp_path / "s", suffix, dtype, channels=channels, bits=16)
    assert render(tmp_path / "s", OutputFile("right", tmp_path / f"o.%05d{suffix}")) == 0
    assert sorted(file for file in os.listdir(tmp_path) if file != "s") == [
        f"o.{n:05}{suffix}" for n in range(1001, 1005)
    ]
    pairs = zip(open_footage(tmp_path / "s").frames(), open_footage(tmp_path / f"o.%05d{suffix}").frames(), strict=True)
    assert all(np.array_equal(before.image, after.image) for before, after in pairs)


def test_exr_keeps_rate_pixel_aspect_colours_attributes_and_each_frames_timecode(tmp_path, render):
    make_run(tmp_path / "s", ".exr", "f2")
    render(tmp_path / "s", OutputFile("right", tmp_path / "o.%04d.exr"))
    for number, expected in ((1001, "01:02:03:22"), (1002, "01:02:03:23"), (1003, "01:02:04:00")):
        _, header = read_image(tmp_path / f"o.{number}.exr")
        info = info_of(header)
        assert (info.fps, info.pixel_aspect, info.color_space) == (INFO.fps, 2, "lin_rec709_scene")
        assert str(info.timecode) == expected
        assert ("nuke/note", "string", "grain off") in header.attributes


def test_exr_overscan_stays_where_it_was(tmp_path, render):
    windows = (64, 36, -4, -2, 0, 0, 56, 32)
    make_run(tmp_path / "s", ".exr", "f2", count=1, windows=windows)
    render(tmp_path / "s", OutputFile("right", tmp_path / "o.exr"), OutputFile("sbs-full", tmp_path / "w.exr"))
    assert read_image(tmp_path / "o.exr")[1].windows == windows
    assert read_image(tmp_path / "w.exr")[1].windows is None, "a wider picture has no such windows"


def test_dpx_has_timecode_rate_and_10_bits_rounded_not_cut(tmp_path, render):
    make_run(tmp_path / "s", ".exr", "f4", count=2)
    render(tmp_path / "s", OutputFile("right", tmp_path / "o.%04d.dpx"))
    before = next(open_footage(tmp_path / "s").frames()).image
    after, header = read_image(tmp_path / "o.1001.dpx")
    assert header.bits == 10
    assert str(info_of(header).timecode) == "01:02:03:22"
    assert np.abs(after / 65535 - before).max() <= 0.5 / 1023 + 1e-4


def test_10_bit_dpx_comes_back_code_for_code(tmp_path, render):
    make_run(tmp_path / "s", ".dpx", "u2", count=1)
    pixels, _ = read_image(tmp_path / "s" / "s.1001.dpx")
    write_image(tmp_path / "ten.dpx", pixels, NO_HEADER, INFO, 1, 10)
    render(tmp_path / "ten.dpx", OutputFile("right", tmp_path / "o.dpx"))
    assert np.array_equal(read_image(tmp_path / "ten.dpx")[0], read_image(tmp_path / "o.dpx")[0])


def test_float_values_beyond_white_and_below_black_survive(tmp_path, render):
    values = np.array([[[-0.25, 0.5, 60000.0]]], np.float32).repeat(8, 0).repeat(8, 1)
    write_image(tmp_path / "s.exr", values, NO_HEADER, INFO, 0, 0)
    render(tmp_path / "s.exr", OutputFile("right", tmp_path / "o.exr"))
    assert np.array_equal(read_image(tmp_path / "o.exr")[0], values)


def test_values_that_the_file_cannot_hold_are_counted_and_told(tmp_path, render, model, capsys):
    make_run(tmp_path / "s", ".png", "u2", count=1)
    model.factor = 1e3
    render(tmp_path / "s", OutputFile("right", tmp_path / "o.png"))
    assert "values did not fit the outputs' pixels and were clamped" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("kind", "dtype", "name"), [("folder", "f2", "o/frame_01001.exr"), ("folder", "u2", "o/frame_01001.png")]
)
def test_a_folder_gets_what_keeps_the_pixels(tmp_path, render, kind, dtype, name):
    make_run(tmp_path / "s", ".exr" if dtype == "f2" else ".png", dtype, count=1)
    render(tmp_path / "s", OutputFile("right", tmp_path / "o"))
    assert (tmp_path / name).exists()


def test_a_run_becomes_a_video_with_its_timecode_and_rate(tmp_path, render):
    pytest.importorskip("av")
    make_run(tmp_path / "s", ".exr", "f2")
    assert render(tmp_path / "s", OutputFile("right", tmp_path / "o.mov", "prores-4444")) == 0
    info = open_footage(tmp_path / "o.mov").info
    assert (info.fps, str(info.timecode)) == (INFO.fps, "01:02:03:22")
    assert info.pixel_aspect == 2


def test_without_pyav_a_run_becomes_an_8_bit_video_and_says_so(tmp_path, render, monkeypatch, capsys):
    monkeypatch.setattr("service.batch.outputs.picture_writer.has_pyav", lambda: False)
    monkeypatch.setattr("service.batch.sources.footage.has_pyav", lambda: False)
    make_run(tmp_path / "s", ".png", "u1")
    assert render(tmp_path / "s", OutputFile("right", tmp_path / "o.mkv")) == 0
    assert len(list(open_footage(tmp_path / "o.mkv").frames())) == 4
    assert "8 bit without sound, timecode or HDR: install the extra [video]" in capsys.readouterr().err
    assert render(tmp_path / "s", OutputFile("right", tmp_path / "o.mov", "prores")) == 1
    assert "needs PyAV: pip install 'stereo-convert[video]'" in capsys.readouterr().err
