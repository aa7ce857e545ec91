import numpy as np
import pytest
import torch

from model.sasi.wan.crops import Box, batches, plan_crops, share


def marked(height, width, *boxes):
    needed = torch.zeros(height, width, dtype=torch.bool)
    for top, left, bottom, right in boxes:
        needed[top:bottom, left:right] = True
    return needed


def test_nothing_needed_is_no_crop():
    assert plan_crops(marked(20, 30), 4) == []


def test_one_hole_is_one_crop_with_its_margin():
    (crop,) = plan_crops(marked(40, 60, (10, 20, 14, 28)), 4)
    assert crop.core == Box(10, 20, 14, 28)
    assert crop.shown == Box(6, 16, 18, 32)


def test_margins_end_at_the_frame():
    (crop,) = plan_crops(marked(40, 60, (0, 56, 4, 60)), 4)
    assert crop.shown == Box(0, 52, 8, 60)


def test_holes_far_apart_are_cut_and_near_ones_are_not():
    assert len(plan_crops(marked(40, 120, (4, 4, 8, 8), (30, 100, 34, 104)), 4)) == 2
    assert len(plan_crops(marked(40, 120, (4, 4, 8, 8), (4, 10, 8, 14)), 4)) == 1


def test_everything_needed_is_the_whole_frame_once():
    (crop,) = plan_crops(torch.ones(12, 20, dtype=torch.bool), 4)
    assert crop.core == crop.shown == Box(0, 0, 12, 20)


@pytest.mark.parametrize("seed", range(6))
def test_cores_hold_all_that_is_needed_and_cost_less_than_the_frame(seed):
    rng = np.random.default_rng(seed)
    needed = torch.zeros(48, 80, dtype=torch.bool)
    for _ in range(rng.integers(1, 5)):
        top, left = rng.integers(0, 44), rng.integers(0, 76)
        needed[top : top + rng.integers(1, 12), left : left + rng.integers(1, 4)] = True
    crops = plan_crops(needed, 3)
    held = torch.zeros_like(needed)
    for crop in crops:
        crop.core.cut(held)[:] = True
        inner = crop.core.within(crop.shown)
        assert inner.top >= min(3, crop.core.top)
        assert inner.left >= min(3, crop.core.left)
        assert crop.shown.bottom - crop.core.bottom >= min(3, 48 - crop.core.bottom)
        assert crop.shown.right - crop.core.right >= min(3, 80 - crop.core.right)
    assert (held | ~needed).all()
    assert share(crops, (48, 80)) < 1


def test_crops_of_one_size_run_together_up_to_a_limit():
    crops = plan_crops(marked(80, 200, (4, 4, 8, 8), (4, 60, 8, 64), (60, 120, 64, 124), (60, 10, 72, 20)), 4)
    sizes = [sorted({crop.shown.size for crop in group}) for group in batches(crops, 2 * 12 * 12)]
    assert sorted(map(len, batches(crops, 2 * 12 * 12))) == [1, 1, 2]
    assert all(len(size) == 1 for size in sizes)
    assert sorted(map(len, batches(crops, 1))) == [1, 1, 1, 1]
