"""A near object at columns 20..31, its hole at 32..39, and textured background on the right of it."""

import pytest
import torch

from model.sasi.candidates import shift_onto_background
from model.sasi.conditions import prepare_conditions
from model.sasi.lent_detail import CALM, SHARE, lend_detail


@pytest.fixture
def scene(object_before_texture):
    return object_before_texture(2)


def test_a_hole_s_row_is_moved_onto_its_background_as_a_whole():
    hole = torch.tensor([[0, 0, 1, 1, 1, 0, 0, 0]], dtype=torch.bool)
    beside = torch.tensor([[0, 1, 6, 6, 6, 5, 6, 7]])  # column 5 is the hole's rim: the background begins at 6
    assert shift_onto_background(hole, beside).tolist() == [[0, 0, 4, 4, 4, 0, 0, 0]]
    at_the_left = torch.tensor([[0, 1, 1, 1, 1, 5, 6, 7]])
    assert shift_onto_background(hole, at_the_left).tolist() == [[0, 0, -3, -3, -3, 0, 0, 0]]


def test_a_row_without_background_stays():
    hole = torch.ones(1, 4, dtype=torch.bool)
    assert shift_onto_background(hole, torch.arange(4)[None]).tolist() == [[0, 0, 0, 0]]


def test_a_flat_fill_gets_the_background_s_detail_in_its_share(scene):
    flat = torch.where(scene.hole, 0.7, scene.known)
    lent = lend_detail(flat, scene)
    # column 40 is the rim, so the row 32..39 is moved by 9; in its middle the smoothed fill is the fill
    detail = scene.atlas[0, 10:50, 45, 5:].T
    inner = flat.clone()
    inner[..., 24:48] = 0.7
    expected = 0.7 + SHARE * detail
    around = lend_detail(inner, scene)[0, :, 10:50, 36]
    torch.testing.assert_close(around, expected, atol=1e-5, rtol=0)
    assert (lent - flat)[scene.hole.expand_as(flat)].std() > 0.03


def test_the_fill_s_own_detail_makes_room(scene):
    """A checkerboard has a mean of about zero around each pixel: what remains of it is 1 − CALM."""
    board = ((torch.arange(64)[:, None] + torch.arange(96)) % 2 * 2 - 1).float() * 0.1
    flat = torch.full((2, 3, 64, 96), 0.7)
    difference = lend_detail(flat + board, scene) - lend_detail(flat, scene)
    inside = difference[0, 0, 10:50, 34:38] / board[10:50, 34:38]
    torch.testing.assert_close(inside, torch.full_like(inside, 1 - CALM), atol=0.02, rtol=0)


def test_what_is_no_hole_keeps_its_bits(scene):
    image = torch.rand(2, 3, 64, 96)
    kept = ~scene.hole.expand_as(image)
    assert torch.equal(lend_detail(image, scene)[kept], image[kept])


def test_plain_background_lends_nothing():
    view = torch.full((1, 3, 32, 64), 0.6)
    hole = torch.zeros(1, 1, 32, 64, dtype=torch.bool)
    hole[..., 20:28] = True
    conditions = prepare_conditions(view, hole, torch.zeros(1, 1, 32, 64), 1)
    torch.testing.assert_close(lend_detail(view, conditions), view)


def test_frames_without_holes_are_left_alone(scene):
    image = torch.rand(2, 3, 64, 96)
    empty = prepare_conditions(image, torch.zeros(2, 1, 64, 96, dtype=torch.bool), torch.zeros(2, 1, 64, 96), 2)
    assert torch.equal(lend_detail(image, empty), image)
