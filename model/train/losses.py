"""What a fill is trained for: right colours and right edges inside the hole, nothing changed outside."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from model.train.config import LossRules


def pixel_weight(hole: Tensor, edge: Tensor, predicted: Tensor, rules: LossRules) -> Tensor:
    """Weigh pixels (F, 1, H, W): 1 in disocclusions, less in the edge strip and in predicted pixels outside."""
    inside = torch.where(edge, rules.edge, 1.0)
    return torch.where(hole, inside, rules.outside * predicted.float())


def fill_loss(image: Tensor, truth: Tensor, start: Tensor, weight: Tensor, rules: LossRules) -> Tensor:
    """Error of the fill against the error of the `start` it improves, so that easy frames count as hard ones do.

    image, truth, start (F, 3, H, W)     weight (F, 1, H, W)
    returns the mean over frames, by their weight, of
    |e| / (|e_start| + floor) + squared · e² / (e_start² + floor²) + gradient · |∇e| / (|e_start| + floor)

    PSNR is a logarithm of the mean square: a frame gains as much by halving a small error as by halving a large one.
    """
    error, before = image - truth, (start - truth) * weight
    size = weight.sum(dim=(1, 2, 3))
    scale = before.abs().mean(dim=1).sum(dim=(1, 2)) + rules.floor * size
    square_scale = (before * (start - truth)).mean(dim=1).sum(dim=(1, 2)) + rules.floor**2 * size
    part = (weight * error.abs()).mean(dim=1).sum(dim=(1, 2)) / scale.clamp(min=1e-9)
    part = part + rules.gradient * gradient_sum(error, weight) / scale.clamp(min=1e-9)
    square = (weight * error.square()).mean(dim=1).sum(dim=(1, 2))
    part = part + rules.squared * square / square_scale.clamp(min=1e-9)
    return (size * part).sum() / size.sum().clamp(min=1)


def gradient_sum(error: Tensor, weight: Tensor) -> Tensor:
    """Weighted sum per frame of half the absolute differences between neighbours, mean over colours: (F,)."""
    across = (error[..., 1:] - error[..., :-1]).abs() * torch.minimum(weight[..., 1:], weight[..., :-1])
    down = (error[..., 1:, :] - error[..., :-1, :]).abs() * torch.minimum(weight[..., 1:, :], weight[..., :-1, :])
    return (across.mean(dim=1).sum(dim=(1, 2)) + down.mean(dim=1).sum(dim=(1, 2))) / 2


def shortfall_loss(image: Tensor, truth: Tensor, start: Tensor, inner: Tensor, rules: LossRules) -> Tensor:
    """Mean over frames of how far the squared error exceeds `shortfall_margin` times that of the start; 0 if none does.

    image, truth, start (F, 3, H, W)     inner (F, 1, H, W) bool, disocclusions without the strip at the edge
    """
    ours, theirs = (((one - truth).square().mean(dim=1, keepdim=True) * inner).sum((1, 2, 3)) for one in (image, start))
    size = inner.float().sum(dim=(1, 2, 3))
    ratio = (ours + rules.floor**2 * size) / (theirs + rules.floor**2 * size).clamp(min=1e-9)
    return (size * F.relu(ratio - rules.shortfall_margin)).sum() / size.sum().clamp(min=1)
