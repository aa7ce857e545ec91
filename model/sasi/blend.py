"""Putting the fill into the view, twice: tokens by m, pixels by M with a feather (eq. 15)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from model.sasi.tokens import grow


def blend_tokens(filled: Tensor, known: Tensor, holed: Tensor) -> Tensor:
    """Keep the known latent where a token holds no hole: (N, D) latents, holed (N,) bool."""
    return torch.where(holed[:, None], filled, known)


def feather_weight(hole: Tensor, feather_px: float) -> Tensor:
    """Weight of the fill: 1 in the hole, falling to 0 at `feather_px` + 1 px from it; exactly 0 beyond.

    hole (T, 1, H, W) bool     returns (T, 1, H, W) float32
    """
    weight, covered = hole.float(), hole
    for ring in range(1, min(math.ceil(feather_px), max(hole.shape)) + 1):  # further rings lie outside the frame
        wider = grow(covered)
        weight[wider & ~covered] = max(0.0, 1 - ring / (feather_px + 1))
        covered = wider
    return weight


def blend_pixels(fill: Tensor, view: Tensor, weight: Tensor) -> Tensor:
    """Mix fill and view (T, C, H, W) by weight (T, 1, H, W); where it is 0 the view's bits are kept."""
    return torch.where(weight > 0, torch.lerp(view, fill, weight), view)
