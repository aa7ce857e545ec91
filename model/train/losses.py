"""What a fill is trained for: right colours and right edges inside the hole, nothing changed outside."""

from __future__ import annotations

import torch
from torch import Tensor

from model.train.config import LossRules


def pixel_weight(hole: Tensor, edge: Tensor, predicted: Tensor, rules: LossRules) -> Tensor:
    """Weigh pixels (F, 1, H, W): 1 in disocclusions, less in the edge strip and in predicted pixels outside."""
    inside = torch.where(edge, rules.edge, 1.0)
    return torch.where(hole, inside, rules.outside * predicted.float())


def colour_loss(image: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """Weighted mean absolute difference; images (F, 3, H, W), weight (F, 1, H, W)."""
    return (weight * (image - truth).abs()).sum() / (3 * weight.sum()).clamp(min=1)


def gradient_loss(image: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """Weighted mean absolute difference of horizontal and vertical differences."""
    error = image - truth
    across = (error[..., 1:] - error[..., :-1]).abs() * torch.minimum(weight[..., 1:], weight[..., :-1])
    down = (error[..., 1:, :] - error[..., :-1, :]).abs() * torch.minimum(weight[..., 1:, :], weight[..., :-1, :])
    return (across.sum() + down.sum()) / (6 * weight.sum()).clamp(min=1)
