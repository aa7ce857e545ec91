"""The disparity of a static point while the nearest object enters and leaves, and across a cut."""

import pytest
import torch

from model.depth.disparity import disparity_from_depth
from model.depth.range import automatic_range, fixed_range
from model.settings import Settings
from model.window import window_of

HEIGHT, LENGTH, CUT = 36, 60, 46
BAR_PX = 0.1


def distance(frame, width):
    """Metres: a floor before a slanted wall, 20 m to 3 m; from frame 8 to 34 someone 1.2 m away walks past; a cut."""
    if frame >= CUT:
        return torch.linspace(9, 6, HEIGHT)[:, None].expand(HEIGHT, width)
    wall = torch.linspace(20, 8, width).expand(HEIGHT, width)
    floor = 3 + 17 * torch.linspace(1.5, 0, HEIGHT)[:, None].expand(HEIGHT, width) ** 2
    scene = torch.minimum(wall, floor).clone()
    if 8 <= frame < 34:
        left = (frame - 8) * width // 32
        scene[8:33, left : left + width // 5] = 1.2
    return scene


UNITS = {
    "normalised": ("white-near", lambda z: (1 / z).clamp(0, 1)),
    "normalised, 0 is near": ("white-far", lambda z: 1 - 0.8 / z),
    "distance in m": ("white-far", lambda z: z),
    "inverse distance in 1/m": ("white-near", lambda z: 1 / z),
    "inverse distance in 1/km": ("white-near", lambda z: 1000 / z),
    "relative, shifted": ("white-near", lambda z: 40 / z - 3),
}


def picture(second_shot, width):
    """What the cut is told from: other colours in another layout."""
    ramp = torch.linspace(0, 1, width).expand(3, HEIGHT, width)
    return ramp.flip(-1) * torch.tensor([0.9, 0.2, 0.1])[:, None, None] if second_shot else ramp * 0.5


def background_disparity(frame, unit, length=17):
    """Disparity, in px at 1920, of background points in the frames that the window of `frame` keeps.

    Nothing ever covers them. Found at 320 px, as disparity is a share of the width.
    """
    meaning, convert = UNITS[unit]
    window, width = window_of(frame, length), 320
    numbers = window.frames(0, LENGTH - 1)
    depth = torch.stack([convert(distance(n, width)) for n in numbers])[:, None]
    frames = torch.stack([picture(n >= CUT, width) for n in numbers])
    settings = Settings(depth_meaning=meaning, window=length)
    disparity = disparity_from_depth(depth, frames, settings, first_frame=window.first_frame)
    return disparity[list(window.kept), 0, :6, ::20] * (1920 / width)


@pytest.mark.parametrize("length", [17, 33, 81])
@pytest.mark.parametrize("unit", UNITS)
def test_a_static_point_does_not_move_when_something_nearer_passes_except_at_a_cut(unit, length):
    kept = len(window_of(0, length).kept)
    path = torch.cat([background_disparity(n, unit, length) for n in range(0, LENGTH, kept)])[:LENGTH]
    steps = path.diff(dim=0).abs().amax(dim=(1, 2))
    assert steps[CUT - 1] > 0.5
    steps[CUT - 1] = 0
    assert steps.max() <= BAR_PX


def test_any_order_gives_equal_bits():
    starts = list(range(0, LENGTH, 13))
    in_order = [background_disparity(n, "distance in m") for n in starts]
    shuffled = torch.randperm(len(starts), generator=torch.Generator().manual_seed(3)).tolist()
    by_window = {index: background_disparity(starts[index] + index, "distance in m") for index in shuffled}
    assert all(torch.equal(by_window[index], path) for index, path in enumerate(in_order))


def blended(values, window=17, first_frame=-2, **where):
    """Nearness of frames that hold one of `values` each, by the scales of their window."""
    depth = torch.tensor(values).view(-1, 1, 1, 1)
    ranges = automatic_range(depth, window, first_frame, may_be_normalised=False, **where)
    return ranges.mapped(torch.full_like(depth, 8.0), lambda nearness: nearness).flatten().tolist()


def nearness_of_8(reference):
    """A constant frame: u = 1 + (8 - reference) / (reference / 2)."""
    u = 1 + (8 - reference) / (reference / 2)
    return u / 2 if u < 1 else 1 - 0.5 / u


def test_scales_are_blended_between_anchors():
    # anchors 0 and 13 of the window of 17; both are steady over the frames around them
    first, second = nearness_of_8(4.0), nearness_of_8(10.0)
    nearness = blended([4.0] * 5 + [10.0] * 12)
    assert nearness[2:16] == pytest.approx([first + (second - first) * n / 13 for n in range(14)])
    assert (nearness[0], nearness[16]) == pytest.approx((first, second))


def test_neighbouring_windows_agree_at_their_common_anchor():
    values = [4.0 + n for n in range(40)]
    earlier, later = blended(values[:17], first_frame=-2), blended(values[13:30], first_frame=11)
    assert earlier[15] == later[2]


def test_scales_are_not_blended_across_a_cut():
    expected = [nearness_of_8(4.0)] * 6 + [nearness_of_8(10.0)] * 11
    assert blended([4.0] * 6 + [10.0] * 11, cuts=(6,)) == pytest.approx(expected)


def test_a_shot_without_an_anchor_uses_its_own_first_frame():
    expected = [nearness_of_8(4.0)] * 6 + [nearness_of_8(6.0)] * 5 + [nearness_of_8(12.0)] * 6
    assert blended([4.0] * 6 + [6.0] * 5 + [12.0] * 6, cuts=(6, 11)) == pytest.approx(expected)


def test_a_window_of_one_frame_uses_its_own_scale():
    assert blended([6.0], window=1, first_frame=7) == pytest.approx([nearness_of_8(6.0)])


def test_the_curve_is_applied_before_blending():
    depth = torch.tensor([4.0] * 5 + [10.0] * 12).view(-1, 1, 1, 1)
    ranges = automatic_range(depth, 17, -2)
    squares = ranges.mapped(torch.full_like(depth, 8.0), lambda nearness: nearness**2).flatten().tolist()
    first, second = nearness_of_8(4.0) ** 2, nearness_of_8(10.0) ** 2
    assert squares[2:16] == pytest.approx([first + (second - first) * n / 13 for n in range(14)])


def test_a_fixed_range_holds_its_ends():
    values = torch.tensor([0.0, 2.0, 5.0, 9.0]).view(2, 1, 1, 2)
    mapped = fixed_range(2.0, 6.0, 2).mapped(values, lambda nearness: nearness)
    assert mapped.flatten().tolist() == [0, 0, 0.75, 1]
