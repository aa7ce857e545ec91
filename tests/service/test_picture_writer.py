from __future__ import annotations

import os

import cv2
import numpy as np
import pytest

from model.errors import InvalidInputError
from service.footage import open_footage
from service.frame_wire import FrameFormat
from service.picture_writer import VideoWriter, WriteError, open_writer

U8 = FrameFormat(16, 8, np.dtype("u1"), 3)
U16 = FrameFormat(16, 8, np.dtype("u2"), 4)
F32 = FrameFormat(16, 8, np.dtype("f4"), 3)


def image(frame_format: FrameFormat, seed: int = 0) -> np.ndarray:
    values = np.random.default_rng(seed).random((frame_format.height, frame_format.width, frame_format.channels))
    scale = np.iinfo(frame_format.dtype).max if frame_format.is_integer else 1
    return (values * scale).astype(frame_format.dtype)


@pytest.mark.parametrize(("kind", "frame_format"), [("png", U8), ("png", U16), ("tif", F32)], ids=str)
def test_images_come_back_bit_for_bit_under_their_numbers(tmp_path, kind, frame_format):
    writer = open_writer(tmp_path / f"out_%03d.{kind}", None, frame_format, 24.0)
    assert writer.format == frame_format
    for number in (7, 8):
        writer.write(image(frame_format, number), number)
    writer.finish()
    assert sorted(os.listdir(tmp_path)) == [f"out_007.{kind}", f"out_008.{kind}"]
    frames = list(open_footage(tmp_path / f"out_%03d.{kind}").frames())
    assert all(np.array_equal(frame, image(frame_format, n)) for n, frame in zip((7, 8), frames, strict=True))


def test_a_folder_gets_png_and_float_gets_tiff(tmp_path):
    for frame_format, name in ((U8, "frame_00003.png"), (F32, "frame_00003.tiff")):
        open_writer(tmp_path / "sub", None, frame_format, 24.0).write(image(frame_format), 3)
        assert (tmp_path / "sub" / name).exists()


def test_ffv1_keeps_every_bit_but_the_colour_conversion(tmp_path):
    writer = open_writer(tmp_path / "o.mkv", None, U8, 24.0)
    gray = np.full((8, 16, 3), 100, "u1")
    writer.write(gray, 0)
    writer.finish()
    (frame,) = open_footage(tmp_path / "o.mkv").frames()
    assert np.abs(frame.astype(int) - 100).max() <= 1


def test_a_video_has_its_name_only_when_it_is_whole(tmp_path):
    writer = open_writer(tmp_path / "o.mp4", None, U8, 24.0)
    writer.write(image(U8), 0)
    assert not (tmp_path / "o.mp4").exists()
    writer.finish()
    writer.discard()
    assert os.listdir(tmp_path) == ["o.mp4"]


def test_a_discarded_video_leaves_nothing(tmp_path):
    writer = open_writer(tmp_path / "o.mp4", None, U8, 24.0)
    writer.write(image(U8), 0)
    writer.discard()
    assert os.listdir(tmp_path) == []


def test_frames_that_were_lost_on_the_way_are_noticed(tmp_path):
    writer = open_writer(tmp_path / "o.avi", "ffv1", U8, 24.0)
    writer.write(image(U8), 0)
    assert isinstance(writer, VideoWriter)
    writer._written += 1  # as after a write that the full disk swallowed
    with pytest.raises(WriteError, match=r"would have 1 of 2 frames; the disk has \d+ MB free"):
        writer.finish()
    writer.discard()
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "codec", "text"),
    [
        ("o.webm", None, "unknown kind .webm"),
        ("o.mp4", "ffv1", "--codec ffv1 does not go into .mp4; use mp4v"),
        ("o.mp4", "png", "--codec png does not go into .mp4"),
        ("folder", "mp4v", "for a video file; a folder takes png or tiff"),
    ],
)
def test_a_name_or_codec_that_cannot_be_is_refused(tmp_path, name, codec, text):
    with pytest.raises(InvalidInputError, match=text):
        open_writer(tmp_path / name, codec, U8, 24.0)


def test_one_image_name_holds_one_frame(tmp_path):
    writer = open_writer(tmp_path / "o.png", None, U8, 24.0)
    writer.write(image(U8), 0)
    with pytest.raises(InvalidInputError, match="one frame only"):
        writer.write(image(U8), 1)


def test_a_full_disk_is_said_so_and_leaves_no_partial_file(tmp_path, monkeypatch):
    writer = open_writer(tmp_path / "out_%d.png", None, U8, 24.0)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(WriteError, match="the disk is full"):
        writer.write(image(U8), 0)
    assert os.listdir(tmp_path) == []


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(WriteError, match="cannot write"):
        open_writer(tmp_path / "file" / "sub", None, U8, 24.0)


def test_jpeg_drops_alpha(tmp_path):
    writer = open_writer(tmp_path / "o.jpg", None, FrameFormat(16, 8, np.dtype("u1"), 4), 24.0)
    assert writer.format.channels == 3
    writer.write(np.zeros((8, 16, 3), "u1"), 0)
    image_read = cv2.imread(str(tmp_path / "o.jpg"), cv2.IMREAD_UNCHANGED)
    assert image_read is not None and image_read.shape == (8, 16, 3)
