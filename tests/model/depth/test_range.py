import pytest
import torch

from model.depth.disparity import disparity_from_depth
from model.depth.range import automatic_range, extent
from model.settings import Settings
from model.window import window_of

WIDTH, HEIGHT, LENGTH = 320, 6, 40


def scene(frame):
    """A slanted background (0..0.7) before which something nearer enters at frame 8 and has left by frame 34."""
    depth = torch.linspace(0, 0.7, WIDTH).expand(HEIGHT, WIDTH).clone()
    if 8 <= frame < 34:
        left = (frame - 8) * 10
        depth[1:3, left : left + 60] = 1.0
    return depth[None]


def background_disparity(frame, settings=Settings()):  # noqa: B008 - frozen
    """Disparity of one background point as the window of `frame` gives it; nothing ever covers the point."""
    window = window_of(frame, settings.window)
    depth = torch.stack([scene(n) for n in window.frames(0, LENGTH - 1)])
    disparity = disparity_from_depth(depth, settings, WIDTH, HEIGHT, first_frame=window.first_frame)
    return float(disparity[frame - window.first_frame, 0, 5, 100])


def test_a_static_point_barely_moves_when_the_nearest_object_enters_and_leaves():
    path = torch.tensor([background_disparity(n) for n in range(LENGTH)])
    assert path.diff().abs().max() <= 0.1
    assert path.max() - path.min() > 0.1  # the range does follow the object


def test_any_order_gives_equal_bits():
    shuffled = torch.randperm(LENGTH, generator=torch.Generator().manual_seed(3)).tolist()
    by_frame = {n: background_disparity(n) for n in shuffled}
    assert [by_frame[n] for n in range(LENGTH)] == [background_disparity(n) for n in range(LENGTH)]


def test_neighbouring_windows_agree_on_the_range_of_their_common_anchor():
    def range_at(frame, window):
        depth = torch.stack([scene(n) for n in window.frames(0, LENGTH - 1)])
        farthest, nearest = automatic_range(depth, window.length, window.first_frame)
        return farthest[frame - window.first_frame], nearest[frame - window.first_frame]

    assert range_at(13, window_of(12, 17)) == range_at(13, window_of(13, 17))


def test_the_range_is_interpolated_between_anchors():
    # anchors 0 and 13 of the window of 17; both are steady over the frames around them
    top = torch.cat((torch.full((5,), 2.0), torch.full((12,), 15.0)))
    depth = torch.stack((torch.zeros(17), top), dim=1).view(17, 1, 1, 2)
    farthest, nearest = automatic_range(depth, window=17, first_frame=-2)
    assert farthest.tolist() == [0] * 17
    assert nearest[2:16].tolist() == pytest.approx([2 + n for n in range(14)])
    assert nearest[0] == 2
    assert nearest[16] == 15


def test_the_range_is_not_interpolated_across_a_cut():
    top = torch.cat((torch.full((6,), 2.0), torch.full((11,), 15.0)))
    depth = torch.stack((torch.zeros(17), top), dim=1).view(17, 1, 1, 2)
    _, nearest = automatic_range(depth, window=17, first_frame=-2, cuts=(6,))
    assert nearest.tolist() == [2.0] * 6 + [15.0] * 11


def test_a_shot_without_an_anchor_uses_its_own_first_frame():
    top = torch.tensor([2.0] * 6 + [4.0] * 5 + [8.0] * 6)
    depth = torch.stack((torch.zeros(17), top), dim=1).view(17, 1, 1, 2)
    _, nearest = automatic_range(depth, window=17, first_frame=-2, cuts=(6, 11))
    assert nearest.tolist() == top.tolist()


def test_a_window_of_one_frame_uses_its_own_range():
    depth = torch.tensor([0.25, 0.75]).view(1, 1, 1, 2)
    assert [float(end) for end in automatic_range(depth, window=1, first_frame=7)] == [0.25, 0.75]


def test_outliers_do_not_move_the_range():
    depth = torch.linspace(0, 1, 10_001)
    depth[5000:5040] = 1e6
    assert extent(depth.view(1, 73, 137)) == pytest.approx((0.005, 0.999), abs=1e-3)


def test_something_tiny_before_a_flat_wall_is_no_outlier():
    depth = torch.zeros(1, 100, 100)
    depth[0, 50, 50] = 1.0
    assert extent(depth) == (0, 1)
