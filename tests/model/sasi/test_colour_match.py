import torch

from model.sasi.colour_match import match_colours


def picture_with_a_hole():
    view = torch.rand(2, 3, 48, 64, generator=torch.Generator().manual_seed(2))
    hole = torch.zeros(2, 1, 48, 64, dtype=torch.bool)
    hole[:, :, 18:30, 20:28] = True
    return view, hole


def test_an_offset_of_the_whole_fill_is_taken_away():
    view, hole = picture_with_a_hole()
    truth = torch.where(hole, 0.5, view)
    matched = match_colours(truth + torch.tensor([0.1, -0.2, 0.05]).view(3, 1, 1), view, hole, 16)
    torch.testing.assert_close(matched, truth, atol=1e-6, rtol=0)


def test_an_offset_that_changes_across_the_hole_is_followed():
    view, hole = picture_with_a_hole()
    slope = torch.linspace(-0.2, 0.2, 64).expand(2, 3, 48, 64)
    matched = match_colours(torch.where(hole, 0.5, view) + slope, view, hole, 16)
    left = (matched - 0.5)[..., 18:30, 20:28].abs().max()
    assert left < slope[..., 20:28].abs().max() / 2


def test_beside_the_hole_the_view_comes_back():
    view, hole = picture_with_a_hole()
    matched = match_colours(torch.rand(view.shape), view, hole, 16)
    block = (slice(None), slice(None), slice(16, 32), slice(16, 32))
    seen = ~hole[block].expand(-1, 3, -1, -1)
    torch.testing.assert_close(matched[block][seen], view[block][seen], atol=1e-6, rtol=0)


def test_where_nothing_is_seen_nothing_is_matched():
    fill, everywhere = torch.rand(1, 3, 32, 32), torch.ones(1, 1, 32, 32, dtype=torch.bool)
    assert torch.equal(match_colours(fill, torch.zeros(1, 3, 32, 32), everywhere, 16), fill)
