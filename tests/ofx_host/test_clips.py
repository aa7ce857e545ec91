"""Clips from memory and files, and the conversions that a host makes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.ofx_host import ArrayClip, open_clip, pixels, read_image, write_image


@pytest.mark.parametrize(
    ("depth", "value", "expected"),
    [("Byte", 0.5, 128), ("Byte", 2.0, 255), ("Byte", -1.0, 0), ("Short", 0.5, 32768), ("Float", 1.7, 1.7)],
)
def test_floats_become_integers_by_rounding_and_clamping(depth, value, expected):
    picture = np.full((2, 2, 4), value, np.float32)
    assert pixels.to_depth(picture, depth)[0, 0, 0] == pytest.approx(expected)


def test_full_integers_are_one():
    assert pixels.to_depth(np.full((1, 1, 1), 255, np.uint8), "Float")[0, 0, 0] == 1.0
    assert pixels.to_depth(np.full((1, 1, 1), 255, np.uint8), "Short")[0, 0, 0] == 65535


def test_components_are_added_and_dropped():
    grey = np.full((1, 1, 1), 7, np.uint8)
    assert pixels.to_components(grey, "RGBA").tolist() == [[[7, 7, 7, 255]]]
    colour = np.array([[[1, 2, 3, 4]]], np.float32)
    assert pixels.to_components(colour, "RGB").tolist() == [[[1, 2, 3]]]
    assert pixels.to_components(colour, "Alpha").tolist() == [[[4]]]


def test_pixel_rectangles_round_outwards():
    assert pixels.pixel_rect((1, 2, 10, 11), (0.5, 0.5)) == (0, 1, 5, 6)
    assert pixels.pixel_rect((-3, 0, 3, 4), (1.0, 1.0)) == (-3, 0, 3, 4)


def test_an_array_clip_has_frames_between_its_ends_only():
    clip = ArrayClip([np.zeros((2, 2, 3), np.uint8), None, np.ones((2, 2, 3), np.uint8)], first=-1)
    assert (clip.first, clip.last) == (-1, 1)
    assert [clip.frame(n) is None for n in (-2, -1, 0, 1, 2)] == [True, False, True, False, True]


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_images_come_back_from_files_as_they_were(tmp_path, suffix, dtype):
    picture = np.arange(2 * 3 * 3, dtype=dtype).reshape(2, 3, 3)
    write_image(tmp_path / f"a{suffix}", picture)
    np.testing.assert_array_equal(read_image(tmp_path / f"a{suffix}"), picture)


def test_a_folder_is_a_sequence_in_the_order_of_its_names(tmp_path):
    for number in (2, 0, 1):
        write_image(tmp_path / f"f{number}.png", np.full((2, 2, 3), number, np.uint8))
    clip = open_clip(tmp_path, first=10)
    assert [frame[0, 0, 0] for n in range(10, 13) if (frame := clip.frame(n)) is not None] == [0, 1, 2]
    assert open_clip(tmp_path / "f*.png", frames=2).last == 1


def test_a_video_may_be_read_in_any_order(tmp_path):
    path = tmp_path / "v.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25.0, (32, 32))
    for number in range(6):
        writer.write(np.full((32, 32, 3), 40 * number, np.uint8))
    writer.release()
    clip = open_clip(path)
    assert (clip.first, clip.last, clip.fps) == (0, 5, 25.0)
    levels = [int(frame.mean()) for n in (4, 0, 5, 1) if (frame := clip.frame(n)) is not None]
    assert levels == pytest.approx([160, 0, 200, 40], abs=3)
    assert clip.frame(6) is None


def test_what_cannot_be_decoded_is_said(tmp_path):
    (tmp_path / "a.png").write_bytes(b"nonsense")
    with pytest.raises(ValueError, match=r"cannot decode .*a\.png"):
        open_clip(tmp_path / "a.png").frame(0)
    with pytest.raises(ValueError, match="no such file"):
        open_clip(tmp_path / "b.mp4")
