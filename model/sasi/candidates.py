"""Simple guesses for hidden background, which the network weighs against each other.

The right eye sees x_right = x_left − disparity, so a hole opens on the right of a near object and its background
continues to the right; only a hole that reaches the frame's right edge has its background on the left.
All functions take frames (F, C, H, W) float32 and masks (F, 1, H, W) bool.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

SURFACE_CELL_PX = 8
"""Nearest and farthest disparity are found in cells of this width and one row, over `SURFACE_CELLS` cells of the row.

Not across rows: a floor comes nearer from row to row, and its own upper part would make it foreground."""
SURFACE_CELLS = 9


def relief(disparity: Tensor, hole: Tensor) -> tuple[Tensor, Tensor]:
    """Tell near surfaces from the background around each pixel.

    disparity  (F, 1, H, W) px, W a multiple of SURFACE_CELL_PX
    returns    height above the farthest neighbour in px, and the same as a fraction of the local range (0 = background)
    """
    near = F.max_pool2d(disparity.masked_fill(hole, -torch.inf), (1, SURFACE_CELL_PX))
    far = -F.max_pool2d((-disparity).masked_fill(hole, -torch.inf), (1, SURFACE_CELL_PX))
    row = {"kernel_size": (1, SURFACE_CELLS), "stride": 1, "padding": (0, SURFACE_CELLS // 2)}
    near, far = F.max_pool2d(near, **row), -F.max_pool2d(-far, **row)
    seen = torch.isfinite(near)
    near, far = near.where(seen, 0.0), far.where(seen, 0.0)
    size = disparity.shape[-2:]
    near, far = F.interpolate(near, size), F.interpolate(far, size)
    height = (disparity - far).clamp(min=0)
    return height, height / (near - far + 1.0)


def push_pull(image: Tensor, weight: Tensor) -> Tensor:
    """Fill pixels of low weight from coarser and coarser means (Gortler et al. 1996).

    image (F, C, H, W)     weight (F, 1, H, W) in 0..1; a pixel of weight 1 is returned as it is
    """
    if max(image.shape[-2:]) == 1:
        return image
    total = F.avg_pool2d(weight, 2, ceil_mode=True, count_include_pad=False)
    coarse = F.avg_pool2d(image * weight, 2, ceil_mode=True, count_include_pad=False) / total.clamp(min=1e-12)
    coarse = push_pull(coarse, (4 * total).clamp(max=1))
    finer = F.interpolate(coarse, image.shape[-2:], mode="bilinear", align_corners=False)
    return torch.lerp(finer, image, weight)


def row_source(background: Tensor) -> Tensor:
    """Find in each row the nearest background pixel, to the right if there is one, else to the left.

    background (F, 1, H, W) bool     returns (F, 1, H, W) int64 column; a pixel without any keeps its own
    """
    width = background.shape[-1]
    column = torch.arange(width, device=background.device).expand(background.shape)
    right = column.where(background, width).flip(-1).cummin(-1).values.flip(-1)
    left = column.where(background, -1).cummax(-1).values
    source = right.where(right < width, left)
    return source.where(source >= 0, column)


def take_columns(image: Tensor, column: Tensor) -> Tensor:
    """Copy pixels along rows: out[..., x] = image[..., column[..., x]]; column is (F, 1, H, W) int64."""
    return image.gather(-1, column.expand(-1, image.shape[1], -1, -1))


def shift_onto_background(hole: Tensor, column: Tensor) -> Tensor:
    """Tell how far each row of a hole must be moved to lie on its background, beginning at the row source.

    hole (..., W) bool     column (..., W) integers, row source
    returns (..., W) int64, px, > 0 is to the right; 0 outside holes and where a row has no background

    All pixels of one row of a hole move alike, so what is copied keeps its texture; holes are about as wide in every
    row, as wide as the near object's disparity, so rows keep together.
    """
    width = hole.shape[-1]
    own = torch.arange(width, device=hole.device).expand(hole.shape)
    before = own.where(~hole, -1).cummax(-1).values
    after = own.where(~hole, width).flip(-1).cummin(-1).values.flip(-1)
    shift = torch.where(column > own, column - before - 1, column - after + 1)
    return shift * (hole & (column != own))


def mirrored(column: Tensor, own: Tensor, width: int) -> Tensor:
    """Reflect pixels in column `own` at their row source: as far behind it as the pixel is before it."""
    return (2 * column - own).clamp(0, width - 1)
