import pytest
import torch

from model.depth.floating_window import floating_window, mask_edge
from model.settings import Settings


def across_the_right_edge(disparity_px, frames=17):
    disparity = torch.full((frames, 1, 10, 100), -4.0)
    disparity[..., -10:] = disparity_px
    return disparity


def test_off_has_no_bars():
    bars = floating_window(across_the_right_edge(6.0), Settings())
    assert bars.left_px.abs().max() == bars.right_px.abs().max() == 0


def test_manual_bars_are_a_percentage_of_the_width():
    settings = Settings(floating_window="manual", floating_window_width=2.5)
    bars = floating_window(across_the_right_edge(6.0), settings)
    assert bars.left_px.tolist() == bars.right_px.tolist() == [2.5] * 17


def test_auto_bars_are_as_wide_as_the_disparity_that_crosses_the_edge():
    bars = floating_window(across_the_right_edge(6.0), Settings(floating_window="auto"))
    assert bars.right_px.tolist() == [6.0] * 17
    assert bars.left_px.tolist() == [0.0] * 17


def test_what_lies_behind_the_screen_needs_no_bar():
    bars = floating_window(across_the_right_edge(-6.0), Settings(floating_window="auto"))
    assert bars.right_px.abs().max() == 0


def test_auto_bars_open_smoothly_and_end_at_a_cut():
    disparity = across_the_right_edge(0.0)
    disparity[5:, ..., -10:] = 13.0
    settings = Settings(floating_window="auto")
    bars = floating_window(disparity, settings, first_frame=-2)
    assert bars.right_px[2:16].tolist() == pytest.approx(range(14))
    bars = floating_window(disparity, settings, first_frame=-2, cuts=(5,))
    assert bars.right_px.tolist() == [0.0] * 5 + [13.0] * 12


def test_a_bar_blackens_its_columns_and_darkens_a_part_of_one():
    frames = torch.full((1, 4, 2, 5), 0.8)
    right = mask_edge(frames, torch.tensor([1.25]), "right")
    torch.testing.assert_close(right[0, 0, 0], torch.tensor([0.8, 0.8, 0.8, 0.6, 0]))
    torch.testing.assert_close(mask_edge(frames, torch.tensor([1.25]), "left"), right.flip(-1))
    assert torch.equal(right[:, 3], frames[:, 3])


def test_no_bar_returns_the_frames():
    frames = torch.rand(2, 3, 2, 5)
    assert mask_edge(frames, torch.zeros(2), "left") is frames
