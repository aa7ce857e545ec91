from __future__ import annotations

import pytest
import torch

from model.max_filter import max_filter, run_maximum


@pytest.mark.parametrize("radius_px", [0, 1, 2, 3, 4, 9])
@pytest.mark.parametrize("size", [(1, 1), (3, 1), (7, 12)])
def test_it_is_max_pooling(radius_px: int, size: tuple[int, int]) -> None:
    values = torch.randn(2, 1, *size, generator=torch.Generator().manual_seed(0))
    pooled = torch.nn.functional.max_pool2d(values, 2 * radius_px + 1, stride=1, padding=radius_px)
    assert torch.equal(max_filter(values, radius_px), pooled)


def test_a_mask_stays_a_mask() -> None:
    mask = torch.tensor([[[False, False, True, False]]])
    assert run_maximum(mask, 0, 1, -1).tolist() == [[[False, True, True, False]]]
    assert run_maximum(mask, 1, 0, -1).tolist() == [[[False, False, True, True]]]
