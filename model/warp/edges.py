"""Where the edge between two surfaces really lies, and what colour its mixed pixel would have without the other."""

from __future__ import annotations

import torch
from torch import Tensor

from model.warp.surfaces import Surfaces

CONTRAST_FLOOR = 0.003
"""Squared colour difference, summed over channels, at which an alpha estimated from colour is half trusted."""


def refine_edges(image: Tensor, surfaces: Surfaces) -> tuple[Tensor, Surfaces]:
    """Estimate the alpha of the two pixels beside every cut, place the edge to sub-pixel accuracy and un-mix.

    image    (T, C, H, W) float32
    returns  the image with its mixed edge pixels un-mixed; the surfaces with their edges moved by up to half a pixel

    The pure colour of a side is that of the next pixel inside its run. Alpha is the part of the left surface in a
    pixel: by the disparity the two pixels together hold one pixel of it, their colours say how much more or less.
    """
    left, right = image[..., :-1], image[..., 1:]
    column = torch.arange(left.shape[-1], device=image.device)
    pure_left = gather_colour(image, torch.maximum(column - 1, surfaces.first[..., :-1]))
    pure_right = gather_colour(image, torch.minimum(column + 2, surfaces.last[..., 1:]))
    difference = pure_left - pure_right
    contrast = (difference * difference).sum(1)
    excess = _alpha(left, pure_right, difference, contrast) + _alpha(right, pure_right, difference, contrast) - 1
    edge = (excess * (contrast / (contrast + CONTRAST_FLOOR))).clamp(-0.5, 0.5)
    # Colours too large to square (1e19) give no estimate, but stay legal.
    edge = torch.where(surfaces.cut & torch.isfinite(edge), edge, 0)
    colour = image.clone()
    # An edge left of the middle lies in the left pixel, else in the right one: only that pixel is mixed.
    colour[..., :-1] = _unmix(left, pure_left, pure_right, (-edge).clamp_min(0))
    mixed = edge > 0
    colour[..., 1:] = torch.where(mixed[:, None], _unmix(right, pure_right, pure_left, edge), colour[..., 1:])
    return colour, surfaces.with_edges(edge)


def _alpha(mixed: Tensor, pure_right: Tensor, difference: Tensor, contrast: Tensor) -> Tensor:
    """Part of the left surface in a pixel, 0..1, by projection on the line between the two pure colours."""
    return (((mixed - pure_right) * difference).sum(1) / contrast.clamp_min(1e-12)).clamp(0, 1)


def _unmix(mixed: Tensor, pure: Tensor, other: Tensor, part: Tensor) -> Tensor:
    """Take `part` (0..0.5) of the other surface out of a pixel; the result stays between the pixel and its own side.

    Without that bound a disparity that is off by a pixel would invent colours (Motorcycle: -0.2 dB).
    """
    part = part[:, None]
    alone = (mixed - part * other) / (1 - part)
    bounded = torch.minimum(torch.maximum(alone, torch.minimum(mixed, pure)), torch.maximum(mixed, pure))
    return torch.where(part > 0, bounded, mixed)


def gather_colour(colour: Tensor, pixel: Tensor) -> Tensor:
    """Read `colour` (T, C, H, W) at source pixels (T, H, N): (T, C, H, N)."""
    frames, channels, height, _ = colour.shape
    return colour.gather(-1, pixel[:, None].expand(frames, channels, height, pixel.shape[-1]))
