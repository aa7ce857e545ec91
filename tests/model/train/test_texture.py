"""Losses of texture, from pictures whose detail and motion are known."""

import pytest
import torch

from model.train.texture import detail_loss, flicker_loss, shortfall_loss

HOLE = torch.ones(1, 1, 32, 32, dtype=torch.bool)


def stripes(height: float) -> torch.Tensor:
    picture = torch.zeros(1, 3, 32, 32)
    picture[..., ::2] = height
    return picture


def test_no_detail_costs_nearly_one_and_as_much_of_it_nothing():
    flat, truth = torch.full((1, 3, 32, 32), 0.4), stripes(0.8)
    assert detail_loss(flat, truth, HOLE).item() == pytest.approx(1, abs=0.02)
    assert detail_loss(truth, truth, HOLE).item() == 0


def test_detail_counts_wherever_its_edges_lie():
    """Stripes moved by one pixel have the largest error there is, and the same detail."""
    truth = stripes(0.8)
    assert detail_loss(truth.roll(1, dims=3), truth, HOLE).item() == pytest.approx(0, abs=0.02)


def test_too_much_detail_costs_what_too_little_does():
    less, more = (detail_loss(stripes(height), stripes(0.4), HOLE).item() for height in (0.2, 0.6))
    assert less == pytest.approx(more, rel=1e-4)
    assert less == pytest.approx(0.5, rel=0.03)


def test_only_holes_are_asked_for_detail():
    hole = torch.zeros_like(HOLE)
    hole[..., 8:24, 8:24] = True
    image = stripes(0.5)
    image[hole.expand_as(image)] = 0.2
    flat = torch.full_like(image, 0.2)
    assert detail_loss(image, flat, hole).item() == 0


def test_an_error_counts_from_its_share_of_the_start_s_on():
    truth, start = torch.zeros(1, 3, 8, 8), torch.full((1, 3, 8, 8), 0.4)
    inner = torch.ones(1, 1, 8, 8, dtype=torch.bool)
    assert shortfall_loss(start * 0.9, truth, start, inner, margin=0.9, floor=0.0).item() == 0  # 0.81 of its square
    assert shortfall_loss(start * 1.1, truth, start, inner, margin=0.9, floor=0.0).item() == pytest.approx(0.31)


def test_a_fill_that_moves_with_the_picture_does_not_flicker():
    torch.manual_seed(0)
    coarse = torch.nn.functional.interpolate(torch.rand(1, 3, 12, 16), (96, 128), mode="bicubic").clamp(0, 1)
    truth = torch.cat((coarse, coarse.roll(2, dims=3)))
    hole = torch.zeros(2, 1, 96, 128, dtype=torch.bool)
    hole[..., 20:70, 30:90] = True
    still = torch.cat((coarse, coarse))
    assert flicker_loss(truth, truth, hole, frames=2).item() < 0.01
    assert flicker_loss(still, truth, hole, frames=2).item() > 3 * flicker_loss(truth, truth, hole, frames=2).item()


def test_windows_of_one_frame_do_not_flicker():
    picture = torch.rand(2, 3, 32, 32, requires_grad=True)
    loss = flicker_loss(picture, picture.detach(), HOLE.expand(2, -1, -1, -1), frames=1)
    loss.backward()
    assert loss.item() == 0
