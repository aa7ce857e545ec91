"""What a fill with texture is trained for, where the error of each pixel would ask for blur.

Detail that cannot be known is right in amount, not in place: these losses compare how much of it there is, allow an
error up to that of the blurred start, and ask that it stays where it is from frame to frame.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

_DETAIL_FLOOR = 0.004
"""Mean difference of neighbours, of 0..1, below which a truth counts as plain."""
_FOLLOWED = 0.1
"""Where the truth itself changes more than this along its motion, nothing is asked."""


def detail_loss(image: Tensor, truth: Tensor, hole: Tensor, window_px: int = 11) -> Tensor:
    """Compare how much neighbours differ, window by window: 0 = as detailed as the truth, 1 = no detail at all.

    image, truth (F, 3, H, W)     hole (F, 1, H, W) bool
    returns Σ |d − d_truth| / Σ (d_truth + floor) over holes, d a mean in windows of `window_px`, odd, inside
    the hole; a small window asks for the usual amount of detail where it cannot be known, a large one for the mean
    """
    ours, inside = _local_detail(image, hole, window_px)
    theirs, _ = _local_detail(truth, hole, window_px)
    difference = ((ours - theirs).abs() * inside).sum(dim=(1, 2, 3))
    amount = ((theirs + _DETAIL_FLOOR) * inside).sum(dim=(1, 2, 3))
    size = hole.float().sum(dim=(1, 2, 3))
    return (size * difference / amount.clamp(min=1e-9)).sum() / size.sum().clamp(min=1)


def _local_detail(image: Tensor, hole: Tensor, window_px: int) -> tuple[Tensor, Tensor]:
    """Mean absolute difference of neighbours around each pixel of a hole, (F, 1, H, W), and where there is one."""
    across = (image[..., 1:] - image[..., :-1]).abs().mean(dim=1, keepdim=True) * (hole[..., 1:] & hole[..., :-1])
    down = (image[..., 1:, :] - image[..., :-1, :]).abs().mean(dim=1, keepdim=True)
    down = down * (hole[..., 1:, :] & hole[..., :-1, :])
    both = F.pad(across, (0, 1)) + F.pad(down, (0, 0, 0, 1))
    mask = hole.float()
    return _box(both * mask, window_px) / _box(mask, window_px).clamp(min=1e-6), mask


def _box(image: Tensor, window_px: int) -> Tensor:
    half = window_px // 2
    across = F.avg_pool2d(image, (1, window_px), stride=1, padding=(0, half))
    return F.avg_pool2d(across, (window_px, 1), stride=1, padding=(half, 0))


def shortfall_loss(image: Tensor, truth: Tensor, start: Tensor, inner: Tensor, margin: float, floor: float) -> Tensor:
    """Mean over frames of how far the squared error exceeds `margin` times that of the start; 0 when none does.

    image, truth, start (F, 3, H, W)     inner (F, 1, H, W) bool, disocclusions without the strip at the edge
    """
    ours, theirs = (((one - truth).square().mean(dim=1, keepdim=True) * inner).sum((1, 2, 3)) for one in (image, start))
    size = inner.float().sum(dim=(1, 2, 3))
    ratio = (ours + floor**2 * size) / (theirs + floor**2 * size).clamp(min=1e-9)
    return (size * F.relu(ratio - margin)).sum() / size.sum().clamp(min=1)


def flicker_loss(image: Tensor, truth: Tensor, hole: Tensor, frames: int) -> Tensor:
    """Compare successive frames of the fill along the truth's motion: mean |f(t) − f(t + 1) moved back| in holes.

    image, truth (F, 3, H, W), windows of `frames` frames one after the other     hole (F, 1, H, W) bool
    A pixel counts where both places are holes and the truth itself follows its motion.
    """
    first = torch.tensor([number for number in range(len(image)) if (number + 1) % frames])
    if not len(first):
        return image.sum() * 0
    grid = _motion_grid(truth, first)
    moved = F.grid_sample(image[first + 1], grid, mode="bilinear", padding_mode="border", align_corners=True)
    with torch.no_grad():
        seen = torch.cat((truth, hole.float()), dim=1)[first + 1]
        there = F.grid_sample(seen, grid, mode="bilinear", padding_mode="zeros", align_corners=True)
        followed = (there[:, :3] - truth[first]).abs().mean(dim=1, keepdim=True) < _FOLLOWED
        counts = hole[first] & followed & (there[:, 3:] > 0.99)
    change = (moved - image[first]).abs().mean(dim=1, keepdim=True) * counts
    return change.sum() / counts.sum().clamp(min=1)


def _motion_grid(truth: Tensor, first: Tensor) -> Tensor:
    """Where the pixels of frames `first` lie in the next ones, as `grid_sample` counts: (n, H, W, 2)."""
    flow_of = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    grey = (truth.clamp(0, 1).mean(dim=1) * 255).round().byte().numpy()
    empty = np.zeros((*grey.shape[1:], 2), np.float32)
    flow = torch.from_numpy(np.stack([flow_of.calc(grey[t], grey[t + 1], empty.copy()) for t in first.tolist()]))
    height, width = grey.shape[1:]
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    place = torch.stack((x, y), dim=-1) + flow
    return place * 2 / torch.tensor((width - 1, height - 1)) - 1
