from __future__ import annotations

import pytest
import torch

from model.conversion import Conversion
from model.errors import SettingsError
from model.layout import compose

LEFT = torch.arange(48, dtype=torch.float32).reshape(1, 4, 3, 4)
CONVERSION = Conversion(
    left=LEFT,
    right=LEFT + 100,
    disocclusion=torch.tensor([[[[True, False, False, False]] * 3]]),
    disparity=torch.full((1, 1, 3, 4), 0.2),
    retention=0.0,
    stage_times={},
    min_parallax=5.0,
    max_parallax=5.0,
    warnings=(),
)


def test_full_layouts_hold_both_eyes_untouched() -> None:
    sbs, tb = compose("sbs-full", CONVERSION), compose("tb-full", CONVERSION)
    assert torch.equal(sbs[..., :4], LEFT) and torch.equal(sbs[..., 4:], CONVERSION.right)
    assert torch.equal(tb[..., :3, :], LEFT) and torch.equal(tb[..., 3:, :], CONVERSION.right)


def test_half_side_by_side_averages_pairs_of_columns() -> None:
    half = compose("sbs-half", CONVERSION)
    assert half.shape == LEFT.shape
    assert torch.equal(half[..., 0], (LEFT[..., 0] + LEFT[..., 1]) / 2)
    assert torch.equal(half[..., 3], (LEFT[..., 2] + LEFT[..., 3]) / 2 + 100)


@pytest.mark.parametrize("output", ["sbs-half", "tb-half"])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 1), (1, 3), (5, 7)])
def test_half_layouts_keep_odd_sizes(output: str, height: int, width: int) -> None:
    left = torch.rand(2, 3, height, width)
    both = Conversion(left, left, left[:, :1] > 0, left[:, :1], 0.0, {}, 0.0, 0.0, ())
    assert compose(output, both).shape == left.shape


def test_an_anaglyph_of_equal_grey_eyes_is_that_grey() -> None:
    grey = torch.full((1, 3, 2, 2), 0.5)
    both = Conversion(grey, grey, grey[:, :1] > 1, grey[:, :1], 0.0, {}, 0.0, 0.0, ())
    # Dubois' rows sum to 1 within 2 %: he optimised colours on a screen, not the sum.
    assert torch.allclose(compose("anaglyph", both), grey, atol=0.02)


def test_an_anaglyph_shows_the_left_eye_in_red() -> None:
    white, black = torch.ones(1, 3, 1, 1), torch.zeros(1, 3, 1, 1)
    both = Conversion(white, black, black[:, :1] > 1, black[:, :1], 0.0, {}, 0.0, 0.0, ())
    red, green, blue = compose("anaglyph", both).flatten()
    assert red > 1 and green < 0 and blue < 0


def both_eyes(left: torch.Tensor, right: torch.Tensor) -> Conversion:
    return Conversion(left, right, left[:, :1] > 1e9, left[:, :1], 0.0, {}, 0.0, 0.0, ())


def colour(*values: float) -> torch.Tensor:
    return torch.tensor(values).reshape(1, -1, 1, 1)


def test_half_colour_has_the_left_luma_in_red_and_the_right_colours_in_green_and_blue() -> None:
    shown = compose("anaglyph-half-colour", both_eyes(colour(1.0, 0.5, 0.25), colour(0.1, 0.2, 0.3)))
    assert torch.allclose(shown.flatten(), torch.tensor([0.299 + 0.587 / 2 + 0.114 / 4, 0.2, 0.3]))


def test_a_grey_anaglyph_has_one_luma_in_each_half_of_the_glasses() -> None:
    shown = compose("anaglyph-grey", both_eyes(colour(1.0, 1.0, 1.0), colour(0.0, 1.0, 0.0)))
    assert torch.allclose(shown.flatten(), torch.tensor([1.0, 0.587, 0.587]))


@pytest.mark.parametrize("output", ["anaglyph", "anaglyph-half-colour", "anaglyph-grey", "difference"])
def test_a_mixed_pixel_covers_what_either_eye_covers(output: str) -> None:
    left, right = colour(1.0, 1.0, 1.0, 0.25), colour(0.0, 0.0, 0.0, 0.75)
    assert compose(output, both_eyes(left, right))[0, 3] == 0.75
    assert compose(output, both_eyes(right, left))[0, 3] == 0.75
    assert compose(output, both_eyes(left[:, :3], right[:, :3])).shape[1] == 3


@pytest.mark.parametrize("output", ["right", "left", "sbs-full", "tb-full", "sbs-half", "tb-half"])
def test_alpha_stays_with_its_colours(output: str) -> None:
    """Every pixel of the eyes has its own alpha, a quarter of its red; so has every pixel of the layout."""
    eyes = torch.rand(2, 1, 4, 6, 8)
    eyes[:, :, 3] = eyes[:, :, 0] / 4
    shown = compose(output, both_eyes(*eyes))
    assert torch.allclose(shown[:, 3], shown[:, 0] / 4)


def test_the_difference_of_equal_eyes_is_black_and_has_no_sign() -> None:
    assert not compose("difference", both_eyes(LEFT[:, :3], LEFT[:, :3])).any()
    shown = compose("difference", both_eyes(colour(1.0, 0.0, 2.0), colour(0.25, 0.5, 2.0)))
    assert torch.equal(shown.flatten(), torch.tensor([0.75, 0.5, 0.0]))


def test_the_disparity_output_has_the_screen_at_half_grey() -> None:
    # 0.2 px of 4 px is 5 % of the width: half a unit.
    shown = compose("disparity", CONVERSION)
    assert torch.allclose(shown[:, :3], torch.full((1, 3, 3, 4), 1.0)) and torch.equal(shown[:, 3], torch.ones(1, 3, 4))


def test_the_mask_output_is_one_where_the_left_eye_saw_nothing() -> None:
    shown = compose("mask", CONVERSION)
    assert torch.equal(shown[0, 0, 0], torch.tensor([1.0, 0.0, 0.0, 0.0]))


def test_the_left_eye_is_the_conversions_own() -> None:
    assert compose("left", CONVERSION) is LEFT


def test_an_unknown_output_is_refused() -> None:
    with pytest.raises(SettingsError, match="holo"):
        compose("holo", CONVERSION)
