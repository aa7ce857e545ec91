"""A near object at columns 4..7 with its hole at 8..11, background 0.2 on the left and 0.8 on the right."""

import torch

from model.sasi.candidates import mirrored, push_pull, relief, row_source, take_columns
from model.warp.gapw import gapw


def test_gapw_opens_holes_on_the_right_of_near_objects():
    image = torch.rand(1, 3, 4, 64)
    disparity = torch.zeros(1, 1, 4, 64)
    disparity[..., 30:40] = 6
    hole = gapw(image, disparity).disocclusion
    assert hole[0, 0, 0].nonzero()[:, 0].tolist() == [34, 35, 36, 37, 38, 39]  # the object now ends at 33


def test_row_source_is_the_next_background_pixel_to_the_right():
    background = torch.tensor([True, False, False, True, False]).view(1, 1, 1, 5)
    assert row_source(background).flatten().tolist() == [0, 3, 3, 3, 3]


def test_a_hole_at_the_right_border_takes_its_background_from_the_left():
    background = torch.tensor([True, True, False, False]).view(1, 1, 1, 4)
    assert row_source(background).flatten().tolist() == [0, 1, 1, 1]


def test_a_row_without_background_keeps_its_own_columns():
    assert row_source(torch.zeros(1, 1, 1, 3, dtype=torch.bool)).flatten().tolist() == [0, 1, 2]


def test_mirror_reflects_at_the_row_source():
    assert mirrored(torch.tensor([5, 5]), torch.tensor([4, 2]), width=10).tolist() == [6, 8]


def test_mirror_stays_inside_the_frame():
    assert mirrored(torch.tensor([8]), torch.tensor([3]), width=10).tolist() == [9]


def test_push_pull_keeps_known_pixels_and_fills_from_them_alone():
    image = torch.full((1, 1, 32, 32), 0.3)
    weight = torch.ones(1, 1, 32, 32)
    image[..., 8:20, 8:20], weight[..., 8:20, 8:20] = 9.0, 0.0
    torch.testing.assert_close(push_pull(image, weight), torch.full_like(image, 0.3))


def test_push_pull_handles_any_size():
    for size in ((1, 1), (1, 7), (5, 3), (16, 48)):
        image = torch.rand(1, 2, *size)
        assert torch.equal(push_pull(image, torch.ones(1, 1, *size)), image)


def test_relief_is_high_on_near_objects_and_low_beside_them():
    disparity = torch.zeros(1, 1, 32, 64)
    disparity[..., 20:30] = 10
    height, fraction = relief(disparity, torch.zeros_like(disparity, dtype=torch.bool))
    assert height[0, 0, 0, 25] == 10
    assert fraction[0, 0, 0, 25] > 0.9
    assert fraction[0, 0, 0, 31] == 0


def test_a_floor_that_comes_nearer_from_row_to_row_is_all_background():
    rows = torch.arange(32.0).view(1, 1, 32, 1).expand(1, 1, 32, 64)
    height, fraction = relief(rows.contiguous(), torch.zeros(1, 1, 32, 64, dtype=torch.bool))
    assert height.max() == 0 and fraction.max() == 0


def test_relief_of_a_frame_that_is_all_hole_is_flat():
    height, fraction = relief(torch.ones(1, 1, 16, 16), torch.ones(1, 1, 16, 16, dtype=torch.bool))
    assert torch.isfinite(height).all()
    assert torch.isfinite(fraction).all()


def test_take_columns_copies_along_rows():
    image = torch.arange(8.0).view(1, 1, 2, 4)
    column = torch.tensor([3, 3, 0, 1]).view(1, 1, 1, 4).expand(1, 1, 2, 4)
    assert take_columns(image, column).flatten().tolist() == [3, 3, 0, 1, 7, 7, 4, 5]
