import torch

from model.sasi.blend import blend_pixels, blend_tokens, feather_weight
from model.sasi.resize import FillSize
from model.sasi.value_range import value_range


def dot(size: int = 15) -> torch.Tensor:
    hole = torch.zeros(1, 1, size, size, dtype=torch.bool)
    hole[0, 0, size // 2, size // 2] = True
    return hole


def test_feather_falls_linearly_and_ends():
    row = feather_weight(dot(), 3.0)[0, 0, 7, 7:13]
    torch.testing.assert_close(row, torch.tensor([1.0, 0.75, 0.5, 0.25, 0.0, 0.0]))


def test_no_feather_is_the_mask():
    assert torch.equal(feather_weight(dot(), 0.0), dot().float())


def test_a_feather_wider_than_the_frame_ends_with_it():
    weight = feather_weight(dot(), 1e9)
    torch.testing.assert_close(weight, torch.ones_like(weight))


def test_half_a_pixel_of_feather_reaches_one_pixel():
    row = feather_weight(dot(), 0.5)[0, 0, 7, 7:10]
    torch.testing.assert_close(row, torch.tensor([1.0, 1 / 3, 0.0]))


def test_blend_keeps_the_views_bits_where_weight_is_zero():
    view = torch.tensor([1e30, 0.1, -3.0]).view(1, 1, 1, 3)
    fill = torch.tensor([torch.nan, 0.5, 7.0]).view(1, 1, 1, 3)
    weight = torch.tensor([0.0, 0.5, 1.0]).view(1, 1, 1, 3)
    torch.testing.assert_close(blend_pixels(fill, view, weight).flatten(), torch.tensor([1e30, 0.3, 7.0]))


def test_tokens_without_hole_keep_the_known_latent():
    filled, known = torch.ones(3, 2), torch.zeros(3, 2)
    assert blend_tokens(filled, known, torch.tensor([True, False, True])).sum(dim=1).tolist() == [2, 0, 2]


def test_display_values_pass_the_value_range_unchanged():
    colour = torch.rand(2, 3, 8, 8)
    spread = value_range(colour, torch.ones(2, 1, 8, 8, dtype=torch.bool))
    assert torch.equal(spread.normalise(colour), colour)
    assert torch.equal(spread.restore(colour), colour)


def test_bright_values_return_from_the_value_range():
    colour = torch.linspace(-20, 900, 3 * 64).view(1, 3, 8, 8)
    spread = value_range(colour, torch.ones(1, 1, 8, 8, dtype=torch.bool))
    normal = spread.normalise(colour)
    assert normal.max() < 1.1  # highlights set the scale
    torch.testing.assert_close(spread.restore(normal), colour, rtol=1e-5, atol=1e-4)


def test_holes_do_not_set_the_value_range():
    colour, known = torch.rand(1, 3, 8, 8), torch.ones(1, 1, 8, 8, dtype=torch.bool)
    colour[..., 4], known[..., 4] = 1e9, False
    assert value_range(colour, known).gain is None


def test_reducing_averages_known_pixels_only():
    view = torch.tensor([[0.2, 9.0], [0.4, 9.0]]).repeat(1, 16).view(1, 1, 2, 32)
    hole = view > 1
    size = FillSize.within(2, 32, 16)
    small, small_hole, disparity = size.reduce(view, hole, torch.full_like(view, 6.0))
    torch.testing.assert_close(small[..., 0, :16], torch.full((1, 1, 16), 0.3))
    assert bool(small_hole[..., 0, :16].all())
    torch.testing.assert_close(disparity[..., 0, :16], torch.full((1, 1, 16), 3.0))


def test_a_frame_within_the_limit_is_only_padded():
    view = torch.rand(1, 3, 20, 33)
    size = FillSize.within(20, 33, 64)
    mask = torch.zeros(1, 1, 20, 33, dtype=torch.bool)
    mask[..., 5, 30:] = True
    small, hole, _ = size.reduce(view, mask, torch.zeros(1, 1, 20, 33))
    assert small.shape == (1, 3, 32, 48)
    assert hole.nonzero()[:, 2:].tolist() == [[5, column] for column in range(30, 48)]
    assert torch.equal(size.enlarge(small), view)
