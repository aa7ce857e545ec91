import pytest
import torch
import torch.nn.functional as F

from model.sasi.box import BOX_PX, box_sum


def test_a_pixel_is_counted_by_all_that_are_at_most_4_away():
    image = torch.zeros(1, 20, 30)
    image[0, 9, 12] = 1
    expected = torch.zeros(1, 20, 30)
    expected[0, 5:14, 8:17] = 1
    assert torch.equal(box_sum(image), expected)


@pytest.mark.parametrize("size", [(1, 1), (3, 40), (40, 3), (21, 34)])
def test_sums_are_pooling_with_zeros_outside(size):
    image = torch.rand(2, 3, *size)
    pooled = F.avg_pool2d(image, BOX_PX, stride=1, padding=BOX_PX // 2) * BOX_PX**2
    torch.testing.assert_close(box_sum(image), pooled, rtol=1e-5, atol=1e-5)
