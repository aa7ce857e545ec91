"""The warps that others use, retold in a few lines, to be measured beside ours. All take and give what `gapw` does."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from model.warp.gapw import Warp

ROW_FLOW_REACH_PX = 16.0


def plain_grid_sample(image: Tensor, disparity: Tensor) -> Warp:
    """Read the image at x + d(x) with the image's own disparity: no inverse, no order, no mask."""
    return _backward(image, disparity, torch.zeros_like(disparity, dtype=torch.bool))


def monotone_inverse(image: Tensor, disparity: Tensor) -> Warp:
    """Force the forward map to increase (a near surface pushes what it hides aside), then invert it.

    The mask is where the inverse stands still: several target columns from less than half a source pixel each.
    """
    width = disparity.shape[-1]
    column = torch.arange(width, dtype=torch.float32)
    landed = (column - disparity).flip(-1).cummin(-1).values.flip(-1).contiguous()
    after = torch.searchsorted(landed, column.expand(landed.shape).contiguous()).clamp(1, width - 1)
    start, end = landed.gather(-1, after - 1), landed.gather(-1, after)
    fraction = ((column - start) / (end - start).clamp_min(1e-6)).clamp(0, 1)
    source = after - 1 + fraction
    outside = (column < landed[..., :1] - 0.5) | (column > landed[..., -1:] + 0.5)
    return _backward(image, source - column, (end - start > 2) | outside)


def soft_splat(image: Tensor, disparity: Tensor) -> Warp:
    """Add every pixel to the two columns it lands between, near ones exponentially heavier; empty ones are holes."""
    width = disparity.shape[-1]
    landed = torch.arange(width, dtype=torch.float32) - disparity
    importance = (disparity - disparity.amax(-1, keepdim=True)).clamp_min(-60).exp()
    channels = torch.cat([image, disparity, torch.ones_like(disparity)], 1)
    total = torch.zeros(*channels.shape[:-1], width + 2)
    covered = torch.zeros(*disparity.shape[:-1], width + 2)
    for side in (0, 1):
        target = landed.floor() + side
        share = (1 - (landed - target).abs()).clamp_min(0)
        index = target.clamp(-1, width).long() + 1
        total.scatter_add_(-1, index.expand(channels.shape), channels * (share * importance))
        covered.scatter_add_(-1, index, share)
    total, covered = total[..., 1:-1], covered[..., 1:-1]
    blended = total[:, :-1] / total[:, -1:].clamp_min(1e-30)
    return Warp(view=blended[:, :-1], disocclusion=covered < 0.5, disparity=blended[:, -1:])


def row_flow(network: Path) -> Callable[[Tensor, Tensor], Warp]:
    """Load iw3's row_flow_v3 (`stereo_warp_v3.onnx`), a small network that bends rows; it makes no mask.

    Needs onnxruntime.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(str(network), options)

    def warp(image: Tensor, disparity: Tensor) -> Warp:
        features = row_flow_features(disparity)
        delta_scale = np.array(1 / (features.shape[-1] // 2 - 1), np.float32)
        inputs = {"image": image.numpy(), "x": features.numpy(), "delta_scale": delta_scale}
        view = torch.from_numpy(np.asarray(session.run(["right"], inputs)[0]))
        return Warp(view=view, disocclusion=torch.zeros_like(disparity, dtype=torch.bool), disparity=disparity)

    return warp


def row_flow_features(disparity: Tensor) -> Tensor:
    """Say a disparity as row_flow_v3 was trained to read it: depth, divergence, convergence.

    disparity  (1, 1, H, W) float32, px, finite
    returns    (1, 3, h, w) float32: depth 0..1, and two constants in units of 32 px of w: the disparity of depth 1
               less that of depth 0 (divergence), and that of depth 0 (convergence), which lies in -divergence..0

    It moves flat scenes by 0.99 of what it is told, or better, while divergence is below ROW_FLOW_REACH_PX (beyond,
    and for a convergence above 0, it errs by up to a quarter): a larger disparity is said at a smaller size.
    """
    nearest, farthest = max(float(disparity.max()), 0.0), min(float(disparity.min()), 0.0)
    factor = max(1, math.ceil((nearest - farthest) / ROW_FLOW_REACH_PX))
    small = disparity[..., factor // 2 :: factor, factor // 2 :: factor]
    divergence = max(nearest - farthest, 1e-6)
    constants = [torch.full_like(small, px / (32 * factor)) for px in (divergence, farthest)]
    return torch.cat([(small - farthest) / divergence, *constants], 1)


def _backward(image: Tensor, shift: Tensor, disocclusion: Tensor) -> Warp:
    height, width = shift.shape[-2:]
    x = (2 * (torch.arange(width) + shift[:, 0]) + 1) / width - 1
    y = ((2 * torch.arange(height) + 1) / height - 1)[:, None].expand_as(x)
    grid = torch.stack([x, y], -1)
    view = F.grid_sample(image, grid, mode="bilinear", padding_mode="border", align_corners=False)
    return Warp(view=view, disocclusion=disocclusion, disparity=shift)
