import pytest
import torch

from model.depth.disparity import disparity_from_depth
from model.depth.range import automatic_range, extent, full_scale
from model.settings import Settings
from model.window import window_of

HEIGHT, LENGTH, CUT = 6, 60, 46


def scene(frame, width, unit=1.0):
    """A slanted background (0..0.7) before which something nearer passes from frame 8 to 34; a flat shot at the end."""
    if frame >= CUT:
        return torch.full((1, HEIGHT, width), 0.2 * unit)
    depth = torch.linspace(0, 0.7, width).expand(HEIGHT, width).clone()
    if 8 <= frame < 34:
        left = (frame - 8) * width // 32
        depth[1:3, left : left + width // 5] = 1.0
    return depth[None] * unit


def background_disparity(frame, width, settings=Settings(), unit=1.0):  # noqa: B008 - frozen
    """Disparity of one background point as the window of `frame` gives it; nothing ever covers the point."""
    window = window_of(frame, settings.window)
    numbers = window.frames(0, LENGTH - 1)
    depth = torch.stack([scene(n, width, unit) for n in numbers])
    guide = torch.stack([picture(n >= CUT, width) for n in numbers])
    disparity = disparity_from_depth(depth, settings, width, HEIGHT, first_frame=window.first_frame, guide=guide)
    return float(disparity[frame - window.first_frame, 0, 5, width // 3])


def picture(second_shot, width):
    """What the cut is told from: other colours in another layout."""
    ramp = torch.linspace(0, 1, width).expand(3, HEIGHT, width)
    return ramp.flip(-1) * torch.tensor([0.9, 0.2, 0.1])[:, None, None] if second_shot else ramp * 0.5


@pytest.mark.parametrize("width", [1280, 1920])
def test_a_static_point_does_not_move_when_something_nearer_passes_except_at_a_cut(width):
    path = torch.tensor([background_disparity(n, width) for n in range(LENGTH)])
    steps = path.diff().abs()
    assert steps[CUT - 1] > 0.5
    steps[CUT - 1] = 0
    assert steps.max() == 0  # the bar is 0.1 px


@pytest.mark.parametrize("width", [1280, 1920])
def test_depth_without_a_scale_moves_evenly_between_anchors_by_as_little_as_a_window_can(width):
    path = torch.tensor([background_disparity(n, width, unit=40.0) for n in range(LENGTH)])
    steps = path.diff().abs()
    steps[CUT - 1] = 0
    # v = 0.7 / 3: it is at v / 0.7 of the range without and at v / 1 with the object; 2.5 % of the width, 13 frames
    apart = (1 / 3 - 0.7 / 3) * 0.025 * width
    assert steps.max() == pytest.approx(apart / 13, rel=0.05)


def test_any_order_gives_equal_bits():
    shuffled = torch.randperm(LENGTH, generator=torch.Generator().manual_seed(3)).tolist()
    by_frame = {n: background_disparity(n, 320, unit=40.0) for n in shuffled}
    assert [by_frame[n] for n in range(LENGTH)] == [background_disparity(n, 320, unit=40.0) for n in range(LENGTH)]


def nearest_of(tops, **where):
    """Blended nearest value of frames that hold 0 and `tops`."""
    depth = torch.stack((torch.zeros(len(tops)), torch.tensor(tops)), dim=1).view(-1, 1, 1, 2)
    ranges = automatic_range(depth, window=17, first_frame=-2, **where)
    assert ranges.farthest.abs().max() == 0
    return (ranges.nearest * ranges.share).sum(dim=1).tolist()


def test_neighbouring_windows_agree_on_the_range_of_their_common_anchor():
    def range_at(frame, window):
        depth = torch.stack([scene(n, 320, 40.0) for n in window.frames(0, LENGTH - 1)])
        ranges = automatic_range(depth, window.length, window.first_frame)
        t = frame - window.first_frame
        return ((torch.stack((ranges.farthest, ranges.nearest)) * ranges.share).sum(dim=-1)[:, t]).tolist()

    assert range_at(13, window_of(12, 17)) == range_at(13, window_of(13, 17))


def test_ranges_are_blended_between_anchors():
    # anchors 0 and 13 of the window of 17; both are steady over the frames around them
    nearest = nearest_of([2.0] * 5 + [15.0] * 12)
    assert nearest[2:16] == pytest.approx([2 + n for n in range(14)])
    assert (nearest[0], nearest[16]) == (2, 15)


def test_ranges_are_not_blended_across_a_cut():
    assert nearest_of([2.0] * 6 + [15.0] * 11, cuts=(6,)) == [2.0] * 6 + [15.0] * 11


def test_a_shot_without_an_anchor_uses_its_own_first_frame():
    tops = [2.0] * 6 + [4.0] * 5 + [8.0] * 6
    assert nearest_of(tops, cuts=(6, 11)) == tops


def test_a_window_of_one_frame_uses_its_own_range():
    ranges = automatic_range(torch.tensor([2.0, 3.0]).view(1, 1, 1, 2), window=1, first_frame=7)
    assert [ranges.farthest.tolist(), ranges.nearest.tolist(), ranges.share.tolist()] == [[[2.0]], [[3.0]], [[1.0]]]


@pytest.mark.parametrize(
    ("ends", "scale"),
    [
        ((0.2, 0.6), (0, 1)),
        ((0.0, 0.0), (0, 1)),
        ((-0.6, -0.2), (-1, 0)),
        ((0.2, 1.5), (0.2, 1.5)),
        ((-0.1, 0.9), (-0.1, 0.9)),
        ((0.001, 0.02), (0.001, 0.02)),
    ],
)
def test_only_depth_that_uses_0_to_1_has_that_scale(ends, scale):
    assert full_scale(ends) == scale


def test_depth_that_cannot_be_normalised_is_stretched():
    ranges = automatic_range(torch.tensor([0.2, 0.3]).view(1, 1, 1, 2), window=1, may_be_normalised=False)
    assert (float(ranges.farthest), float(ranges.nearest)) == pytest.approx((0.2, 0.3))


def test_outliers_do_not_move_the_range():
    depth = torch.linspace(0, 1, 10_001)
    depth[5000:5040] = 1e6
    assert extent(depth.view(1, 73, 137)) == pytest.approx((0.005, 0.999), abs=1e-3)


def test_something_tiny_before_a_flat_wall_is_no_outlier():
    depth = torch.zeros(1, 100, 100)
    depth[0, 50, 50] = 1.0
    assert extent(depth) == (0, 1)
