import numpy as np
import pytest

from model.depth.edge_filter import edge_aware_mean, resistance_of

HEIGHT, WIDTH, EDGE = 24, 40, 17


def two_colours():
    picture = np.full((1, HEIGHT, WIDTH, 3), 0.2, np.float32)
    picture[:, :, EDGE:] = 0.8
    return picture


def mean(values, weights, picture, reach=8.0):
    return edge_aware_mean(values, weights, resistance_of(picture, reach, 0.25), reach)


def test_a_constant_stays_constant():
    values = np.full((2, HEIGHT, WIDTH), 0.3, np.float32)
    picture = np.random.default_rng(0).random((2, HEIGHT, WIDTH, 3), dtype=np.float32)
    assert mean(values, np.ones_like(values), picture) == pytest.approx(values, abs=1e-6)


def test_values_do_not_cross_an_edge_of_the_picture():
    values = np.zeros((1, HEIGHT, WIDTH), np.float32)
    values[..., EDGE:] = 1
    assert mean(values, np.ones_like(values), two_colours()) == pytest.approx(values, abs=0.02)


def test_noise_within_an_object_is_averaged_out():
    noise = np.random.default_rng(1).standard_normal((1, HEIGHT, WIDTH)).astype(np.float32)
    smooth = mean(noise, np.ones_like(noise), two_colours())
    assert smooth.std() < noise.std() / 6


def test_values_spread_from_where_the_weight_is():
    values = np.random.default_rng(2).random((1, HEIGHT, WIDTH), dtype=np.float32)
    weights = np.full_like(values, 1e-6)
    values[:, 10:14, 20:24], weights[:, 10:14, 20:24] = 0.7, 1
    spread = mean(values, weights, two_colours())
    assert spread[:, 5:20, EDGE + 1 : 34] == pytest.approx(0.7, abs=0.01)


def test_texture_resists_less_than_an_edge_of_the_same_contrast():
    stripes = np.full((1, HEIGHT, WIDTH, 3), 0.2, np.float32)
    stripes[:, :, ::2] = 0.8
    edge = resistance_of(two_colours(), 8.0, 0.25).across[0, 12, EDGE - 1]
    assert resistance_of(stripes, 8.0, 0.25).across[0, 12, 10:30].max() < edge / 10


@pytest.mark.parametrize("size", [(1, 1), (1, 3), (3, 1)])
def test_tiny_pictures_are_accepted(size):
    values = np.full((1, *size), 0.4, np.float32)
    assert mean(values, np.ones_like(values), np.zeros((1, *size, 3), np.float32)) == pytest.approx(values)
