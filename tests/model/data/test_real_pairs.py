import cv2
import numpy as np
import pytest

from model.data.real_pairs import RealPair, rank_correlation, read_pairs
from model.errors import InvalidInputError


def write(folder, name, picture):
    assert cv2.imwrite(str(folder / name), picture)


def test_measured_disparity_is_read_and_0_is_unknown(tmp_path):
    write(tmp_path, "desk_left.png", np.full((2, 3, 3), (255, 0, 51), np.uint8))
    write(tmp_path, "desk_disparity.png", np.array([[0, 300, 5], [7, 8, 9]], np.uint16))
    (pair,) = read_pairs(tmp_path)
    assert (pair.name, pair.left[0, 0].tolist()) == ("desk", pytest.approx([0.2, 0, 1]))
    np.testing.assert_array_equal(pair.disparity, [[np.nan, 300, 5], [7, 8, 9]])


def test_a_pair_without_disparity_is_matched(tmp_path):
    texture = np.random.default_rng(0).integers(0, 256, (60, 200), np.uint8)
    write(tmp_path, "wall_left.png", texture)
    write(tmp_path, "wall_right.png", np.roll(texture, -12, axis=1))
    disparity = read_pairs(tmp_path)[0].disparity[10:-10, 110:-10]
    assert np.nanmedian(disparity) == pytest.approx(12, abs=0.1)


def test_a_folder_without_pairs_is_refused(tmp_path):
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(InvalidInputError, match="NAME_left and NAME_right"):
            read_pairs(folder)


def test_a_missing_right_picture_is_named(tmp_path):
    write(tmp_path, "desk_left.png", np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(InvalidInputError, match=r"desk_right\.png is missing"):
        read_pairs(tmp_path)


def test_only_the_order_of_known_pixels_counts():
    disparity = np.array([[1.0, 2.0], [3.0, np.nan]], np.float32)
    pair = RealPair("p", np.zeros((2, 2, 3), np.float32), disparity)
    assert rank_correlation(np.array([[0.1, 0.2], [9.0, -50.0]], np.float32), pair) == pytest.approx(1)
    assert rank_correlation(np.array([[3.0, 2.0], [1.0, 7.0]], np.float32), pair) == pytest.approx(-1)
    # equals share their mean rank: ranks 0, 1, 2 against 0.5, 0.5, 2 correlate by 1.5 / sqrt(2 * 1.5)
    assert rank_correlation(np.array([[1.0, 1.0], [2.0, 0.0]], np.float32), pair) == pytest.approx(0.75**0.5)
