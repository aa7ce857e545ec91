"""The definition: where cuts lie, and how an edge follows its neighbours in the rows above and below."""

import numpy as np
import pytest

from model.warp.reference_edges import Cut, fit_cuts, measure_cuts


def folded(pixel: int, offset: float = 0.0) -> Cut:
    return Cut(pixel, True, np.float32(offset))


def fit_one(above: list[Cut], cut: Cut, below: list[Cut]) -> tuple[float, float]:
    (fitted,) = fit_cuts(above, [cut], below)
    return float(fitted.offset), float(fitted.slope)


def test_an_edge_moves_halfway_to_the_line_through_its_neighbours():
    # Above at 9.25, below at 10.75, itself at 10.5: the line passes 10, halfway is 10.25.
    assert fit_one([folded(9, 0.25)], folded(10, 0.5), [folded(11, -0.25)]) == (0.25, 0.75)


def test_at_the_end_of_an_object_one_neighbour_gives_the_slope():
    assert fit_one([folded(12, -0.25)], folded(10, 0.25), []) == (0.25, -1.5)
    assert fit_one([], folded(10, 0.25), [folded(12, -0.25)]) == (0.25, 1.5)


def test_a_corner_stays_where_it_is():
    assert fit_one([folded(13)], folded(10, 0.1), [folded(13)]) == (pytest.approx(0.1), 0)


def test_edges_of_another_kind_and_out_of_reach_are_not_followed():
    tear = Cut(10, False, np.float32(0))
    assert fit_one([tear], folded(10, 0.25), [folded(15)]) == (0.25, 0)


def test_of_two_equally_near_edges_the_right_one_is_followed():
    assert fit_one([folded(9), folded(11)], folded(10), []) == (0, -1)


def test_cuts_lie_where_the_colours_mix():
    # The near surface (1) covers 30 % of pixel 4: its edge lies 0.3 px before the middle between pixels 4 and 5.
    mixed = np.array([[0, 0, 0, 0, 0.3, 1, 1, 1, 1, 0]], np.float32)
    disparity = np.array([0, 0, 0, 0, 0, 5, 5, 5, 5, 0], np.float32)
    fold, tear = measure_cuts(mixed, disparity, 1.5)
    assert (fold.pixel, fold.folded, tear.pixel, tear.folded) == (4, True, 8, False)
    assert fold.offset == pytest.approx(-0.3, abs=1e-3)
    assert tear.offset == pytest.approx(0, abs=1e-6)
