from __future__ import annotations

import cv2
import numpy as np
import pytest

from model.errors import FrameFormatError, InvalidInputError
from service.footage import open_footage


def picture(seed: int, dtype: str = "u1", channels: int = 3) -> np.ndarray:
    """A small RGB(A) image whose channels differ."""
    values = np.random.default_rng(seed).random((6, 8, channels), np.float32)
    return values if dtype == "f4" else (values * np.iinfo(dtype).max).astype(dtype)


def save(path, image: np.ndarray) -> None:
    order = cv2.COLOR_RGBA2BGRA if image.shape[2] == 4 else cv2.COLOR_RGB2BGR
    assert cv2.imwrite(str(path), cv2.cvtColor(image, order))


@pytest.mark.parametrize(
    ("suffix", "dtype", "channels"), [(".png", "u1", 3), (".png", "u2", 4), (".tif", "u2", 3), (".tif", "f4", 3)]
)
def test_an_image_is_read_bit_for_bit_in_rgb(tmp_path, suffix, dtype, channels):
    image = picture(1, dtype, channels)
    save(tmp_path / f"still{suffix}", image)
    footage = open_footage(tmp_path / f"still{suffix}")
    assert (footage.format.width, footage.format.height, footage.format.channels) == (8, 6, channels)
    assert footage.format.dtype == np.dtype(dtype)
    assert [np.array_equal(frame, image) for frame in footage.frames()] == [True]


def test_a_gray_image_becomes_rgb(tmp_path):
    cv2.imwrite(str(tmp_path / "depth.png"), np.array([[1, 2]], "u1"))
    (frame,) = open_footage(tmp_path / "depth.png").frames()
    assert frame.tolist() == [[[1, 1, 1], [2, 2, 2]]]


def test_a_pattern_takes_its_files_by_number(tmp_path):
    for number in (9, 10, 11):
        save(tmp_path / f"shot_{number}.png", picture(number))
    save(tmp_path / "other_10.png", picture(0))
    footage = open_footage(tmp_path / "shot_%d.png")
    assert (footage.first_number, footage.frame_count) == (9, 3)
    assert all(
        np.array_equal(frame, picture(number)) for number, frame in zip((9, 10, 11), footage.frames(), strict=True)
    )


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


def test_a_video_is_read_to_its_end(tmp_path):
    writer = cv2.VideoWriter(str(tmp_path / "v.avi"), cv2.VideoWriter.fourcc(*"FFV1"), 25.0, (8, 6))
    for number in range(5):
        writer.write(np.full((6, 8, 3), (10, 20, 30 * number), "u1"))
    writer.release()
    footage = open_footage(tmp_path / "v.avi")
    frames = list(footage.frames())
    assert (len(frames), footage.fps, footage.first_number) == (5, 25.0, 0)
    assert [round(frame[0, 0, 0] / 30) for frame in frames] == [0, 1, 2, 3, 4], "red is the first channel"


@pytest.mark.parametrize(
    ("name", "content", "kind", "text"),
    [
        ("none.mp4", None, InvalidInputError, "does not exist"),
        ("empty.mp4", b"", FrameFormatError, "is it complete"),
        ("broken.mp4", b"not a video at all", FrameFormatError, "is it complete"),
        ("empty.png", b"", FrameFormatError, "is it complete"),
        ("broken.png", b"\x89PNG\r\n\x1a\n", FrameFormatError, "is it complete"),
        ("hdr.exr", b"v/1\x01", FrameFormatError, "32 bit float TIFF"),
        ("none_%04d.png", None, InvalidInputError, "no file matches"),
    ],
)
def test_what_cannot_be_read_is_named_with_what_to_do(tmp_path, capfd, name, content, kind, text):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(kind, match=text) as refused:
        list(open_footage(tmp_path / name).frames())
    assert name in str(refused.value)


def test_a_folder_without_images_is_refused(tmp_path):
    with pytest.raises(InvalidInputError, match="holds no image"):
        open_footage(tmp_path)
