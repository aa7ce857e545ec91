"""Rotary positions: parts of each attention head turn with t, y and x (Su et al. 2021, as in Wan 2.1)."""

from __future__ import annotations

import torch
from torch import Tensor

BASE = 100.0
"""Ratio of the slowest to the fastest rotation; cells are a few tokens wide, so far smaller than a text model's."""


def rotations(position: Tensor, parts: tuple[int, int, int], base: float = BASE) -> tuple[Tensor, Tensor]:
    """Tabulate the angles of every token.

    position (N, 3) int64, (t, y, x)     parts  channels of a head per axis, each even     base  as BASE
    returns  cos and sin, each (N, 1, sum(parts) / 2) float32
    """
    angles = []
    for axis, channels in enumerate(parts):
        steps = torch.arange(0, channels, 2, device=position.device, dtype=torch.float32) / channels
        angles.append(position[:, axis, None].float() * base**-steps)
    turned = torch.cat(angles, dim=1)[:, None]
    return turned.cos(), turned.sin()


def rotate(heads: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn channel pairs of (..., N, heads, head_width) by the tabulated angles."""
    even, odd = heads.unflatten(-1, (-1, 2)).unbind(-1)
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), dim=-1).flatten(-2)
