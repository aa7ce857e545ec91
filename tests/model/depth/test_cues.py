import cv2
import numpy as np
import pytest

from model.depth.cues import background_likelihood, ground, sharpness, unlike_border


def test_the_ground_is_nearer_the_lower_it_is():
    column = ground(40, 3)[:, 1]
    assert (np.diff(column) >= 0).all()
    assert 0 <= column[0] < 0.1
    assert 0.7 < column[-1] < 0.8


def test_the_top_and_the_sides_are_likelier_background_than_the_middle():
    likely = background_likelihood(40, 60)
    assert likely[2, 30] > 0.8 > 5 * likely[30, 30]
    assert likely[20, 1] > 5 * likely[30, 30]


def test_a_colour_of_its_own_in_the_middle_stands_out():
    picture = np.full((60, 90, 3), (0.2, 0.5, 0.3), np.float32)
    picture[25:50, 35:55] = (0.8, 0.3, 0.2)
    stands_out = unlike_border(picture)
    assert stands_out[30:45, 40:50].min() > 0.5
    assert stands_out[:20].max() == 0


def test_one_colour_everywhere_tells_nothing():
    assert unlike_border(np.full((60, 90, 3), 0.4, np.float32)).max() < 1e-3


def test_a_sharp_edge_is_sharper_than_a_blurred_one():
    step = np.zeros((40, 80, 3), np.float32)
    step[:, 40:] = 0.8
    edges = []
    for sigma in (0, 1.5, 4):
        picture = cv2.GaussianBlur(step, (0, 0), sigma) if sigma else step
        sharp, weight = sharpness(picture)
        edges.append(float((sharp * weight).sum() / weight.sum()))
    assert edges[0] > edges[1] + 0.2 > edges[2] + 0.3


def test_plain_areas_have_no_say_in_sharpness():
    assert sharpness(np.full((40, 80, 3), 0.4, np.float32))[1].max() == 0


@pytest.mark.parametrize("size", [(1, 1), (1, 3), (3, 1)])
def test_tiny_pictures_are_accepted(size):
    picture = np.full((*size, 3), 0.5, np.float32)
    for cue in (ground(*size), background_likelihood(*size), unlike_border(picture), *sharpness(picture)):
        assert cue.shape == size
        assert np.isfinite(cue).all()
