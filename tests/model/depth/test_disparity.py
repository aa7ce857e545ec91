import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from model.depth.disparity import bend, disparity_from_depth
from model.errors import InvalidInputError, ShapeError
from model.settings import Settings

RAMP = torch.linspace(0, 1, 5).view(1, 1, 1, 5)


def disparity_of(depth, width_px=None, height_px=None, **settings):
    frames = torch.zeros(len(depth), 3, height_px or depth.shape[-2], width_px or depth.shape[-1])
    return disparity_from_depth(depth, frames, Settings(**settings))


def test_white_near_spreads_the_disparity_around_the_convergence():
    # 10 % of 5 px = 0.5 px in all, a quarter of it behind the screen
    result = disparity_of(RAMP, disparity=10, convergence=0.25)
    torch.testing.assert_close(result.flatten(), torch.tensor([-0.125, 0, 0.125, 0.25, 0.375]))


def test_white_far_mirrors_white_near():
    near, far = (disparity_of(RAMP, depth_meaning=meaning) for meaning in ("white-near", "white-far"))
    torch.testing.assert_close(far, near.flip(-1))


def test_disparity_in_px_scales_with_the_width_and_ignores_the_stereo_settings():
    depth = torch.tensor([-3.0, 7.0]).view(1, 1, 1, 2)
    result = disparity_of(depth, 4, 1, depth_meaning="disparity-px", disparity=9, convergence=2, foreground_scale=3)
    assert result.flatten().tolist() == [-6, -6, 14, 14]


def test_foundry_vectors_are_where_a_pixel_lies_in_the_right_eye_minus_where_it_is():
    # Nuke's disparityL.x = x_right - x_left: what comes out of the screen lies further left in the right eye
    vectors = torch.tensor([-7.0, 3.0]).view(1, 1, 1, 2)
    result = disparity_of(vectors, 4, 1, depth_meaning="foundry-px")
    assert result.flatten().tolist() == [14, 14, -6, -6]


def test_unknown_foundry_vectors_take_the_farther_neighbour_too():
    vectors = torch.tensor([-7.0, float("nan"), 3.0]).view(1, 1, 1, 3)
    assert disparity_of(vectors, depth_meaning="foundry-px").flatten().tolist() == [7, -3, -3]


@pytest.mark.parametrize("convergence", [-1.0, 2.0])
def test_convergence_beyond_the_range_puts_everything_on_one_side(convergence):
    result = disparity_of(RAMP, convergence=convergence)
    assert bool((result > 0).all()) if convergence < 0 else bool((result < 0).all())


def test_a_distance_in_any_unit_gives_what_its_inverse_gives():
    metres = torch.tensor([20.0, 8.0, 5.0, 2.0, 1.2]).view(1, 1, 1, 5)
    by_inverse = disparity_of(50 / metres, disparity=10)
    for unit in (1.0, 100.0, 3.28):
        by_distance = disparity_of(metres * unit, depth_meaning="white-far", disparity=10)
        torch.testing.assert_close(by_distance, by_inverse)


@pytest.mark.parametrize(("near", "far"), [(0.75, 0.25), (0.25, 0.75)])
def test_manual_range_clamps_to_its_ends_in_either_order(near, far):
    result = disparity_of(RAMP, range="manual", near=near, far=far, disparity=10, convergence=0)
    torch.testing.assert_close(result.flatten(), torch.tensor([0, 0, 0.25, 0.5, 0.5]))


@pytest.mark.parametrize("meaning", ["white-near", "white-far"])
def test_constant_depth_without_a_scale_sits_on_the_screen(meaning):
    assert disparity_of(torch.full((2, 1, 3, 4), 7.3), depth_meaning=meaning).abs().max() == 0


@pytest.mark.parametrize(("meaning", "expected"), [("white-near", -0.08), ("white-far", 0.08)])
def test_constant_normalised_depth_lies_where_it_says(meaning, expected):
    # 0.3 is 0.2 behind the middle, where the screen is: 0.2 * 10 % of 4 px
    result = disparity_of(torch.full((2, 1, 3, 4), 0.3), depth_meaning=meaning, disparity=10)
    torch.testing.assert_close(result, torch.full((2, 1, 3, 4), expected))


@given(scale=st.floats(-3, 3), a=st.floats(0, 1), b=st.floats(0, 1))
def test_bend_keeps_the_ends_and_the_order_and_is_undone_by_its_negative(scale, a, b):
    low, high = bend(torch.tensor(sorted((a, b)), dtype=torch.float64), scale)
    assert 0 <= low <= high <= 1
    assert bend(torch.tensor([0.0, 1.0]), scale).tolist() == [0, 1]
    there_and_back = bend(bend(torch.tensor(a, dtype=torch.float64), scale), -scale)
    assert float(there_and_back) == pytest.approx(a, abs=1e-9)


def test_bend_is_the_inverse_distance_of_a_linear_distance():
    # near 1 m, far 8 m = 2^3: at 4.5 m, half way, (1/4.5 - 1/8) / (1 - 1/8) = 1/9
    assert float(bend(torch.tensor(0.5), 3)) == pytest.approx(1 / 9)


def test_unknown_depth_takes_the_farther_neighbour_of_its_row():
    nan, inf = float("nan"), float("inf")
    depth = torch.tensor([[5.0, nan, 1.0, -inf], [inf, inf, inf, inf], [nan, 3.0, 7.0, 7.0]]).view(1, 1, 3, 4)
    result = disparity_of(depth, depth_meaning="disparity-px")[0, 0]
    # the row without a value takes the farther of the filled rows above and below it
    assert result.tolist() == [[5, 1, 1, 1], [3, 1, 1, 1], [3, 3, 7, 7]]


def test_unknown_depth_of_a_distance_map_takes_the_larger_distance():
    depth = torch.tensor([1.0, float("nan"), 5.0]).view(1, 1, 1, 3)
    result = disparity_of(depth, depth_meaning="white-far").flatten()
    assert result[1] == result[2] < result[0]


def test_a_frame_without_known_depth_is_refused_by_its_number():
    depth = torch.stack((torch.zeros(1, 2, 2), torch.full((1, 2, 2), float("nan"))))
    with pytest.raises(InvalidInputError, match="depth of frame 41: expected at least one finite value"):
        disparity_from_depth(depth, torch.zeros(2, 3, 2, 2), Settings(), first_frame=40)


@pytest.mark.parametrize("shape", [(1, 4, 4), (1, 3, 4, 4), (0, 1, 4, 4), (1, 1, 0, 4)])
def test_a_wrong_shape_is_refused(shape):
    with pytest.raises(ShapeError, match=r"depth must be \(1, 1, h, w\)"):
        disparity_from_depth(torch.zeros(shape), torch.zeros(1, 3, 4, 4), Settings())


@pytest.mark.parametrize("shape", [(3, 4, 4), (1, 2, 4, 4), (0, 3, 4, 4), (1, 3, 4, 0)])
def test_wrong_frames_are_refused(shape):
    with pytest.raises(ShapeError, match="frames must be"):
        disparity_from_depth(torch.zeros(1, 1, 2, 2), torch.zeros(shape), Settings())


@pytest.mark.parametrize("size", [(1, 1), (3, 1), (1, 3), (7, 5)])
@pytest.mark.parametrize("depth_size", [(1, 1), (2, 3), (9, 4)])
def test_any_sizes_fit_together(size, depth_size):
    depth = torch.rand(2, 1, *depth_size, generator=torch.Generator().manual_seed(0))
    result = disparity_from_depth(depth, torch.zeros(2, 4, *size), Settings())
    assert result.shape == (2, 1, *size)
    assert result.abs().max() <= 0.5 * 0.025 * size[1] + 1e-6


def test_half_floats_are_accepted():
    torch.testing.assert_close(disparity_of(RAMP.half()), disparity_of(RAMP))
