"""Unknown disparities are filled from the farther side; soft edges become hard ones where they were."""

import math

import pytest
import torch

from model.warp.prepare import all_finite, fill_unknown, snap_edges

NAN = math.nan


def grid(*rows: list[float]) -> torch.Tensor:
    return torch.tensor(rows, dtype=torch.float32)[None, None]


def test_known_disparity_is_returned_as_it_is():
    disparity = torch.rand(1, 1, 3, 3)
    assert fill_unknown(disparity) is disparity


def test_a_gap_takes_the_farther_side_and_an_end_the_only_side():
    filled = fill_unknown(grid([NAN, 5.0, NAN, NAN, 2.0, NAN]))
    assert filled.flatten().tolist() == [5, 5, 2, 2, 2, 2]


def test_a_row_without_values_takes_the_farther_of_the_rows_around_it():
    filled = fill_unknown(grid([4.0, 4.0], [NAN, NAN], [3.0, 6.0]))
    assert filled[0, 0, 1].tolist() == [3, 4]


def test_nothing_known_is_zero():
    assert fill_unknown(grid([NAN, NAN])).tolist() == [[[[0, 0]]]]


def test_a_soft_step_becomes_hard_in_its_middle():
    soft = torch.tensor([0, 0, 0, 0.5, 3, 7, 9.5, 10, 10, 10]).expand(1, 1, 8, 10)
    assert snap_edges(soft, 1.0)[0, 0, 4].tolist() == [0, 0, 0, 0, 0, 10, 10, 10, 10, 10]


def test_growing_moves_the_near_side_outwards():
    step = torch.tensor([0.0] * 6 + [10.0] * 6).expand(1, 1, 8, 12)
    assert torch.equal(snap_edges(step, 2.0), step)
    assert snap_edges(step, 6.0)[0, 0, 4].tolist() == [0] * 4 + [10] * 8


def test_slopes_are_left_alone():
    slope = (torch.arange(20.0) * 0.2).expand(1, 1, 8, 20)
    assert torch.equal(snap_edges(slope, 2.0), slope)


@pytest.mark.parametrize("bad", [math.inf, -math.inf, NAN])
def test_one_bad_value_is_found_and_large_sums_are_no_false_alarm(bad):
    values = torch.full((4, 5), 3e38)
    assert all_finite(values)
    values[2, 3] = bad
    assert not all_finite(values)


def test_a_hard_middle_layer_between_two_others_stays():
    layers = torch.tensor([0.0] * 5 + [4.0] * 2 + [10.0] * 5).expand(1, 1, 8, 12)
    assert torch.equal(snap_edges(layers, 2.0), layers)
