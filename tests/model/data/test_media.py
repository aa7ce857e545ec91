import cv2
import numpy as np
import pytest

from model.data.footage import moving_crop
from model.data.media import MediaRules, load_library, read_photo
from model.errors import InvalidInputError


@pytest.fixture
def folder(tmp_path):
    red = np.zeros((60, 100, 3), np.uint8)
    red[..., 2] = 200  # OpenCV writes BGR
    cv2.imwrite(str(tmp_path / "red.png"), red)
    cv2.imwrite(str(tmp_path / "other.png"), red)
    (tmp_path / "notes.txt").write_text("no picture")
    writer = cv2.VideoWriter(str(tmp_path / "clip.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
    for level in range(0, 200, 20):
        writer.write(np.full((48, 64, 3), level, np.uint8))
    writer.release()
    return tmp_path


def test_photos_are_rgb_and_reduced(folder):
    photo = read_photo(folder / "red.png", 50)
    assert photo.shape == (30, 50, 3)
    assert photo[0, 0].tolist() == [200, 0, 0]


def test_patterns_choose_files_and_clips_give_their_middle(folder):
    library = load_library(folder, MediaRules(exclude=("other*",), clip_frames=4))
    assert library.names == ("clip.avi", "red.png")
    assert [round(float(frame.mean()) / 20) for frame in library.clips[0]] == [3, 4, 5, 6]


def test_a_folder_without_media_is_refused(tmp_path):
    with pytest.raises(InvalidInputError, match="found none"):
        load_library(tmp_path, MediaRules())


def test_a_broken_photo_is_named(folder):
    (folder / "broken.jpg").write_bytes(b"no jpeg")
    with pytest.raises(InvalidInputError, match=r"broken\.jpg"):
        load_library(folder, MediaRules())


def test_footage_has_the_wanted_size_and_range(folder):
    library = load_library(folder, MediaRules())
    rng = np.random.default_rng(0)
    for _ in range(10):
        crop = moving_crop(rng, library, 3, 32, 40)
        assert crop.shape == (3, 32, 40, 3)
        assert crop.dtype == np.float32
        assert 0 <= crop.min() <= crop.max() <= 1
