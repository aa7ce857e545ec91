"""What happens to a disparity before the warp: unknown values are filled, soft edges snapped and grown."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

SNAP_RANGE_PX = 1.0
"""A 5x5 neighbourhood whose disparities differ by more than this holds two surfaces."""

NOT_FINITE = "image holds NaN or infinite colour; replace these pixels before the warp"


def all_finite(values: Tensor) -> bool:
    """Tell whether no value is NaN or infinite. A finite sum proves it in one cheap pass; only else look closer."""
    return bool(torch.isfinite(values.sum())) or bool(torch.isfinite(values).all())


def fill_unknown(disparity: Tensor) -> Tensor:
    """Replace NaN by the farther of the nearest known values left and right, then above and below, then by 0.

    disparity  (T, 1, H, W) float32, px; NaN is unknown
    returns    the same without NaN; the input itself when nothing is unknown

    Unknown disparity is mostly background that a matcher could not see, hence the farther side.
    """
    if all_finite(disparity):
        return disparity
    along_rows = _farther_neighbour(disparity)
    along_columns = _farther_neighbour(along_rows.transpose(-1, -2)).transpose(-1, -2)
    return torch.nan_to_num(along_columns, nan=0.0).contiguous()


def _farther_neighbour(values: Tensor) -> Tensor:
    """Fill NaN along the last axis by the smaller of the nearest known values on both sides."""
    before = _last_known(values)
    after = _last_known(values.flip(-1)).flip(-1)
    return torch.where(torch.isnan(values), torch.fmin(before, after), values)


def _last_known(values: Tensor) -> Tensor:
    columns = torch.arange(values.shape[-1], device=values.device)
    latest = torch.where(torch.isnan(values), 0, columns).cummax(-1).values
    return values.gather(-1, latest)


def snap_edges(disparity: Tensor, grow_px: float) -> Tensor:
    """Make soft disparity edges hard, then grow near regions over the mixed pixels around them.

    disparity  (T, 1, H, W) float32, px, finite
    grow_px    how far near regions grow; half a pixel rounds up
    returns    (T, 1, H, W) float32, px

    Where a 5x5 neighbourhood spans more than SNAP_RANGE_PX the value becomes the nearer of its minimum and maximum
    (WARP.md: on disparity blurred by one pixel this is worth more than every other step of the warp).
    """
    nearest, farthest = _maximum(disparity, 2), -_maximum(-disparity, 2)
    snapped = torch.where(disparity - farthest < nearest - disparity, farthest, nearest)
    hard = torch.where(nearest - farthest > SNAP_RANGE_PX, snapped, disparity)
    radius = int(grow_px + 0.5) - 1  # the snap itself already moves an edge by up to a pixel
    if radius < 1:
        return hard
    grown = _maximum(hard, radius)
    return torch.where(grown - hard > SNAP_RANGE_PX, grown, hard)


def _maximum(values: Tensor, radius: int) -> Tensor:
    """Largest value in a square of `radius` px around each pixel."""
    rows = F.max_pool2d(values, (1, 2 * radius + 1), stride=1, padding=(0, radius))
    return F.max_pool2d(rows, (2 * radius + 1, 1), stride=1, padding=(radius, 0))
