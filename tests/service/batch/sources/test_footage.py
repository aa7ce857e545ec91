from __future__ import annotations

import cv2
import numpy as np
import OpenImageIO as oiio  # noqa: N813
import pytest

from model.errors import FrameFormatError, InvalidInputError
from service.batch.errors import UnreadableError
from service.batch.media.clip_info import ClipInfo
from service.batch.media.image_io import NO_HEADER, write_image
from service.batch.sources import footage as footage_module
from service.batch.sources.footage import open_footage


def picture(seed: int, dtype: str = "u1", channels: int = 3) -> np.ndarray:
    """A small RGB(A) image whose channels differ."""
    values = np.random.default_rng(seed).random((6, 8, channels), np.float32)
    return values.astype(dtype) if dtype[0] == "f" else (values * np.iinfo(dtype).max).astype(dtype)


def save(path, image: np.ndarray) -> None:
    write_image(path, image, NO_HEADER, ClipInfo(), 0, 0)


@pytest.mark.parametrize(
    ("suffix", "dtype", "channels"),
    [
        (".png", "u1", 3), (".png", "u2", 4), (".tif", "u2", 3), (".tif", "f4", 3),
        (".exr", "f2", 3), (".exr", "f4", 4), (".dpx", "u2", 3), (".dpx", "u1", 3),
    ],
)  # fmt: skip
def test_an_image_is_read_bit_for_bit_in_rgb(tmp_path, suffix, dtype, channels):
    image = picture(1, dtype, channels)
    save(tmp_path / f"still{suffix}", image)
    footage = open_footage(tmp_path / f"still{suffix}")
    assert (footage.format.width, footage.format.height, footage.format.channels) == (8, 6, channels)
    assert footage.format.dtype == np.dtype(dtype)
    assert [np.array_equal(frame.image, image) for frame in footage.frames()] == [True]


def test_red_is_the_first_channel_of_a_file_that_others_wrote(tmp_path):
    cv2.imwrite(str(tmp_path / "p.png"), np.array([[[10, 20, 30]]], "u1"))  # OpenCV writes blue, green, red
    (frame,) = open_footage(tmp_path / "p.png").frames()
    assert frame.image.tolist() == [[[30, 20, 10]]]


@pytest.mark.parametrize(
    ("orientation", "expected"),
    [
        (1, [[1, 2, 3], [4, 5, 6]]),
        (2, [[3, 2, 1], [6, 5, 4]]),
        (3, [[6, 5, 4], [3, 2, 1]]),
        (4, [[4, 5, 6], [1, 2, 3]]),
        (5, [[1, 4], [2, 5], [3, 6]]),
        (6, [[4, 1], [5, 2], [6, 3]]),  # the camera was turned to the left: turn the picture to the right
        (7, [[6, 3], [5, 2], [4, 1]]),
        (8, [[3, 6], [2, 5], [1, 4]]),
    ],
)
def test_a_photograph_is_turned_as_the_camera_was_held(tmp_path, orientation, expected):
    spec = oiio.ImageSpec(3, 2, 3, "uint8")
    spec.attribute("Orientation", orientation)
    target = oiio.ImageOutput.create(str(tmp_path / "p.tif"))
    target.open(str(tmp_path / "p.tif"), spec)
    target.write_image(np.array([[1, 2, 3], [4, 5, 6]], "u1")[..., None].repeat(3, 2))
    target.close()
    (frame,) = open_footage(tmp_path / "p.tif").frames()
    assert frame.image[..., 0].tolist() == expected


def test_depth_and_other_channels_of_an_exr_are_not_taken_for_colour(tmp_path):
    spec = oiio.ImageSpec(1, 1, 5, "float")
    spec.channelnames = ("B", "Z", "R", "G", "id")
    target = oiio.ImageOutput.create(str(tmp_path / "p.exr"))
    target.open(str(tmp_path / "p.exr"), spec)
    target.write_image(np.array([[[3, 9, 1, 2, 8]]], "f4"))
    target.close()
    (frame,) = open_footage(tmp_path / "p.exr").frames()
    assert frame.image.tolist() == [[[1, 2, 3]]]


def test_a_gray_image_becomes_rgb(tmp_path):
    cv2.imwrite(str(tmp_path / "depth.png"), np.array([[1, 2]], "u1"))
    (frame,) = open_footage(tmp_path / "depth.png").frames()
    assert frame.image.tolist() == [[[1, 1, 1], [2, 2, 2]]]


def test_a_pattern_takes_its_files_by_number(tmp_path):
    for number in (9, 10, 11):
        save(tmp_path / f"shot_{number}.png", picture(number))
    save(tmp_path / "other_10.png", picture(0))
    footage = open_footage(tmp_path / "shot_%d.png")
    assert (footage.first_number, footage.frame_count) == (9, 3)
    pairs = zip((9, 10, 11), footage.frames(), strict=True)
    assert all(np.array_equal(frame.image, picture(number)) for number, frame in pairs)
    assert [frame.time for frame in footage.frames(start=1)] == [1, 2]


def test_a_folder_takes_its_images(tmp_path):
    save(tmp_path / "a_0101.png", picture(0))
    (tmp_path / "notes.txt").write_text("no image")
    footage = open_footage(tmp_path)
    assert (footage.first_number, footage.frame_count) == (101, 1)


def test_a_missing_frame_is_named(tmp_path):
    for number in (1, 3):
        save(tmp_path / f"s{number}.png", picture(number))
    with pytest.raises(InvalidInputError, match="frame 2 is missing between 1 and 3"):
        open_footage(tmp_path / "s%d.png")


def test_frames_of_two_sizes_are_refused(tmp_path):
    save(tmp_path / "s1.png", picture(1))
    save(tmp_path / "s2.png", picture(2)[:5])
    with pytest.raises(FrameFormatError, match="8 x 5 RGB u8; the first frame is 8 x 6 RGB u8"):
        list(open_footage(tmp_path / "s%d.png").frames())


def test_without_pyav_a_video_is_read_to_its_end_by_opencv(tmp_path, monkeypatch):
    monkeypatch.setattr(footage_module, "has_pyav", lambda: False)
    writer = cv2.VideoWriter(str(tmp_path / "v.avi"), cv2.VideoWriter.fourcc(*"FFV1"), 25.0, (8, 6))
    for number in range(5):
        writer.write(np.full((6, 8, 3), (10, 20, 30 * number), "u1"))
    writer.release()
    footage = open_footage(tmp_path / "v.avi")
    reds = [round(frame.image[0, 0, 0] / 30) for frame in footage.frames()]
    assert (reds, footage.info.fps, footage.first_number) == ([0, 1, 2, 3, 4], 25, 0)
    assert [round(frame.image[0, 0, 0] / 30) for frame in footage.frames(start=3)] == [3, 4]


@pytest.mark.parametrize("pyav", [True, False], ids=["PyAV", "OpenCV"])
@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("none.mp4", None, "does not exist"),
        ("empty.mp4", b"", "is it complete"),
        ("broken.mp4", b"not a video at all", "is it complete"),
        ("empty.png", b"", "is it complete"),
        ("broken.png", b"\x89PNG\r\n\x1a\n", "is it complete"),
        ("broken.exr", b"v/1\x01", "is it complete"),
        ("broken.dpx", b"SDPX", "is it complete"),
        ("none_%04d.png", None, "no file matches"),
    ],
)
def test_what_cannot_be_read_is_named_with_what_to_do(tmp_path, monkeypatch, pyav, name, content, text):
    if pyav:
        pytest.importorskip("av")
    monkeypatch.setattr(footage_module, "has_pyav", lambda: pyav)
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UnreadableError, match=text) as refused:
        list(open_footage(tmp_path / name).frames())
    assert name in str(refused.value)


def test_a_truncated_image_is_not_taken_for_a_black_one(tmp_path):
    for suffix, dtype in ((".exr", "f2"), (".png", "u2"), (".tif", "u2"), (".dpx", "u2")):
        path = tmp_path / f"cut{suffix}"
        save(path, np.random.default_rng(1).random((64, 64, 3)).astype("f4").astype("f2") if dtype == "f2" else
             np.random.default_rng(1).integers(0, 65536, (64, 64, 3)).astype("u2"))  # fmt: skip
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        with pytest.raises(UnreadableError, match="is it complete"):
            list(open_footage(path).frames())


def test_a_folder_without_images_is_refused(tmp_path):
    with pytest.raises(UnreadableError, match="holds no image"):
        open_footage(tmp_path)
