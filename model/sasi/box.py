"""Sums over a square window around each pixel, by doubling: four additions a direction where pooling takes nine."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

BOX_PX = 9
"""Width of the window: 8 + 1, three doublings and the last pixel."""


def box_sum(image: Tensor) -> Tensor:
    """Sum of the BOX_PX x BOX_PX pixels around each; (..., H, W) float, what lies outside counts as zero."""
    return _sum_along(_sum_along(image, -1), -2)


def box_mean(image: Tensor) -> Tensor:
    """`box_sum` over the number of pixels in a whole window."""
    return box_sum(image) / BOX_PX**2


def _sum_along(image: Tensor, dim: int) -> Tensor:
    half, length = BOX_PX // 2, image.shape[dim]
    total = padded = F.pad(image, (half, half) if dim == -1 else (0, 0, half, half))
    for step in (1, 2, 4):
        left = total.shape[dim] - step
        total = total.narrow(dim, 0, left) + total.narrow(dim, step, left)
    return total.narrow(dim, 0, length) + padded.narrow(dim, BOX_PX - 1, length)
