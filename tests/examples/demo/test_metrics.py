"""The demo's yardsticks, against values worked out by hand and against scikit-image."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from examples.demo.metrics import plain_warp, psnr, ssim

EVERYWHERE = np.ones((32, 40), bool)


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(0).random((32, 40, 3), dtype=np.float32)


def test_an_error_of_one_tenth_is_20_db(picture):
    assert psnr(picture + np.float32(0.1), picture, EVERYWHERE) == pytest.approx(20.0, abs=1e-4)


def test_only_the_chosen_pixels_count(picture):
    spoiled = picture.copy()
    spoiled[:, 20:] = 0
    left_half = np.zeros_like(EVERYWHERE)
    left_half[:, :20] = True
    assert psnr(spoiled, picture, left_half) == float("inf")
    assert psnr(spoiled, picture, EVERYWHERE) < 20


def test_ssim_is_that_of_scikit_image(picture):
    other = np.clip(picture + np.random.default_rng(1).normal(0, 0.1, picture.shape), 0, 1).astype(np.float32)
    weights = np.array([0.2126, 0.7152, 0.0722])
    expected = structural_similarity(
        picture @ weights,
        other @ weights,
        data_range=1.0,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )[1]
    inside = np.zeros_like(EVERYWHERE)
    inside[6:-6, 6:-6] = True  # the two treat the border differently
    assert ssim(picture, other, inside) == pytest.approx(expected[inside].mean(), abs=1e-6)


def test_plain_warp_of_a_whole_shift_is_that_shift(picture):
    warped = plain_warp(picture, np.full((32, 40), 3, np.float32))
    np.testing.assert_allclose(warped[:, :-3], picture[:, 3:], atol=1e-5)
