from __future__ import annotations

import numpy as np
import pytest

from model.errors import FrameFormatError
from service.batch.media.planar_yuv import PlanarCodec, planar_format

BT709, BT601, BT2020 = 1, 6, 9


def codec(name: str, height: int = 36, width: int = 64, *, matrix: int = BT709, range_: int = 1) -> PlanarCodec:
    planar = planar_format(name)
    assert planar is not None
    return PlanarCodec(planar, height, width, matrix, range_)


def noise(coded: PlanarCodec) -> list[np.ndarray]:
    """Every code value, legal or not."""
    fmt = coded.format
    count = (1 if fmt.is_gray else 3) + fmt.has_alpha
    shapes = [fmt.plane_shape(plane, coded.height, coded.width) for plane in range(count)]
    values = np.random.default_rng(1)
    return [values.integers(0, int(fmt.largest) + 1, shape).astype(fmt.dtype) for shape in shapes]


@pytest.mark.parametrize("matrix", [BT709, BT601, BT2020])
@pytest.mark.parametrize("range_", [1, 2], ids=["limited", "full"])
@pytest.mark.parametrize("size", [(36, 64), (35, 63)], ids=["even", "odd"])
@pytest.mark.parametrize(
    "name",
    ["yuv420p", "yuv420p10le", "yuv422p12le", "yuva444p16le", "yuv411p", "yuvj420p", "gbrp10le", "gbrap", "gray10le"],
)
def test_any_codes_come_back_as_they_were(name, size, range_, matrix):
    coded = codec(name, *size, matrix=matrix, range_=range_)
    planes = noise(coded)
    back, clamped = coded.from_rgb(coded.to_rgb(planes))
    assert clamped == 0
    assert all(np.array_equal(before, after) for before, after in zip(planes, back, strict=True))


@pytest.mark.parametrize(("matrix", "luma", "blue"), [(BT709, 250, 409), (BT601, 326, 361), (BT2020, 294, 387)])
def test_limited_black_white_and_a_colour_are_where_the_standard_puts_them(matrix, luma, blue):
    coded = codec("yuv444p10le", 1, 3, matrix=matrix)
    # 10 bit: black 64, white 940, no colour 512. Red: Y = 64 + 876 Kr, Cb = 512 - 896 Kr / (2 - 2 Kb), Cr = 512 + 448,
    # with (Kr, Kb) 0.2126, 0.0722 in BT.709; 0.299, 0.114 in BT.601; 0.2627, 0.0593 in BT.2020.
    planes, _ = coded.from_rgb(np.array([[[0, 0, 0], [1, 1, 1], [1, 0, 0]]], np.float32))
    assert [plane.tolist() for plane in planes] == [[[64, 940, luma]], [[512, 512, blue]], [[512, 512, 960]]]


def test_full_range_uses_every_code():
    planes, _ = codec("yuv444p", 1, 2, range_=2).from_rgb(np.array([[[0, 0, 0], [1, 1, 1]]], np.float32))
    assert planes[0].tolist() == [[0, 255]]


def test_chroma_of_a_block_is_its_average():
    red_and_gray = np.array([[[1, 0, 0], [0.2126, 0.2126, 0.2126]]] * 2, np.float32)
    planes, _ = codec("yuv420p10le", 2, 2).from_rgb(red_and_gray)
    assert planes[2].tolist() == [[round((960 + 512) / 2)]]


def test_whiter_than_white_is_kept_and_more_is_counted():
    coded = codec("yuv444p", 1, 1)
    assert float(coded.to_rgb([np.array([[235 + 19]], "u1"), *[np.array([[128]], "u1")] * 2])[0, 0, 0]) > 1
    assert coded.from_rgb(np.full((1, 1, 3), 2, np.float32))[1] == 1  # only luma overflows


def test_alpha_that_is_missing_is_opaque():
    planes, _ = codec("yuva444p10le", 1, 1).from_rgb(np.zeros((1, 1, 3), np.float32))
    assert planes[3].tolist() == [[1023]]


def test_a_matrix_that_is_not_linear_is_refused():
    with pytest.raises(FrameFormatError, match=r"number 14 of H\.273"):
        codec("yuv420p10le", matrix=14)


@pytest.mark.parametrize("name", ["nv12", "p010le", "rgb24", "yuv420p10be", "bayer_rggb8", "xyz12le"])
def test_what_is_not_planar_is_not_taken_for_it(name):
    assert planar_format(name) is None
