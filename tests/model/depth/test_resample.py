import torch

from model.depth.resample import resample_disparity


def step(height, width, edge, near=8.0):
    """Far at 0 px left of column `edge`, near right of it."""
    return torch.where(torch.arange(width) >= edge, near, 0.0).expand(1, 1, height, width).contiguous()


def test_the_same_size_returns_the_disparity():
    disparity = torch.randn(2, 1, 5, 7)
    assert resample_disparity(disparity, 5, 7) is disparity


def test_a_slope_stays_a_slope():
    low = torch.arange(8.0).expand(1, 1, 4, 8).contiguous()  # 1 px a sample at four times the size: 0.25 px a px
    result = resample_disparity(low, 16, 32)[0, 0, 0]
    torch.testing.assert_close(result[2:-2].diff(), torch.full((27,), 0.25))


def test_no_value_lies_between_two_surfaces():
    result = resample_disparity(step(6, 8, 5), 23, 31)
    # bilinear weights add up to 1 but for the last bit
    assert set(result.round(decimals=5).flatten().tolist()) == {0.0, 8.0}


def test_a_line_of_one_sample_keeps_its_disparity():
    low = torch.zeros(1, 1, 4, 9)
    low[..., 4] = 6.0
    result = resample_disparity(low, 16, 36)
    assert set(result.flatten().tolist()) == {0.0, 6.0}
    assert (result[0, 0, 8] == 6).sum() == 4


def test_without_a_guide_the_edge_lies_half_way_between_samples():
    assert torch.equal(resample_disparity(step(4, 8, 4), 16, 32), step(16, 32, 16))


def test_the_edge_follows_the_guide_within_a_sample():
    for edge in (15, 16, 17):
        guide = (step(16, 32, edge, near=1.0) * 0.6 + 0.2).expand(1, 3, 16, 32)
        assert torch.equal(resample_disparity(step(4, 8, 4), 16, 32, guide), step(16, 32, edge))


def test_a_guide_without_contrast_leaves_the_edge_half_way():
    guide = torch.full((1, 3, 16, 32), 0.5)
    assert torch.equal(resample_disparity(step(4, 8, 4), 16, 32, guide), step(16, 32, 16))


def test_a_highlight_does_not_drown_the_guide():
    guide = (step(16, 32, 17, near=1.0) * 0.6 + 0.2).repeat(1, 3, 1, 1)
    guide[..., 0, 20] = 5000.0
    assert torch.equal(resample_disparity(step(4, 8, 4), 16, 32, guide), step(16, 32, 17))


def test_shrinking_invents_no_value():
    high = step(32, 64, 35)
    high[..., 10, :] = 3.0
    assert set(resample_disparity(high, 7, 11).flatten().tolist()) <= {0.0, 3.0, 8.0}
