"""PBDP: the mask of the way back is what the other eye does not see."""

import pytest
import torch

from model.errors import ShapeError
from model.warp.dual_projection import dual_projection


def row(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float32).reshape(1, 1, 1, -1)


def test_the_mask_lies_left_of_a_near_object_and_is_as_wide_as_its_disparity():
    # Pixels 6..9 move to 2..5 and hide what was there; back in the input view 2..5 is missing.
    image = row(*[float(n) for n in range(16)])
    pair = dual_projection(image, row(*[0.0] * 6, *[4.0] * 4, *[0.0] * 6))
    assert pair.disocclusion.flatten().int().tolist() == [0, 0, 1, 1, 1, 1] + [0] * 10


def test_the_target_is_the_input_and_the_view_equals_it_where_it_came_back():
    image = torch.rand(2, 3, 5, 32, generator=torch.Generator().manual_seed(0))
    disparity = torch.zeros(2, 1, 5, 32)
    disparity[..., 12:20] = 3.0
    pair = dual_projection(image, disparity)
    # In noise, edges are found up to half a pixel off and un-mixing changes the pixels beside them.
    away = torch.ones(32, dtype=torch.bool)
    away[7:24] = False
    away[13:18] = True
    assert torch.equal(pair.target, image)
    assert torch.equal(pair.view[..., away], image[..., away])
    assert torch.equal(pair.disparity[..., away], disparity[..., away])
    assert pair.disocclusion[..., 10].all()


def test_without_disparity_nothing_is_masked():
    image = torch.rand(1, 3, 4, 8)
    pair = dual_projection(image, torch.zeros(1, 1, 4, 8))
    assert not pair.disocclusion.any()
    assert torch.equal(pair.view, image)


def test_columns_that_leave_the_frame_are_masked():
    image = torch.rand(1, 1, 1, 10)
    pair = dual_projection(image, torch.full((1, 1, 1, 10), 3.0))
    assert pair.disocclusion.flatten().int().tolist() == [1, 1, 1] + [0] * 7


def test_wrong_shapes_are_refused():
    with pytest.raises(ShapeError):
        dual_projection(torch.zeros(1, 3, 4, 8), torch.zeros(1, 1, 4, 9))
