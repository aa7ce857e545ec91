"""Gaussian noise that depends on absolute position alone.

A counter-based hash, not a generator with state: the token of frame n at (y, x) sees the same noise in every
process, window and order of calls, whichever other tokens are kept.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

_MASK = 0xFFFFFFFF


def _hash(value: Tensor) -> Tensor:
    """Scramble 32-bit integers kept in int64 (lowbias32 by C. Wellons: every input bit moves every output bit)."""
    value = value ^ (value >> 16)
    value = (value * 0x7FEB352D) & _MASK
    value = value ^ (value >> 15)
    value = (value * (0x846CA68B - (1 << 32))) & _MASK  # the same product modulo 2^32, without leaving int64
    return value ^ (value >> 16)


def position_noise(place: Tensor, channels: int, seed: int = 0) -> Tensor:
    """Draw standard normal noise for tokens.

    place    (N, 3) int64, (t, y, x) counted from the start of the clip and the corner of the frame
    returns  (N, channels) float32
    """
    key = torch.full_like(place[:, 0], seed & _MASK)
    for axis in range(3):
        key = _hash((key + place[:, axis] + 0x9E3779B9) & _MASK)
    pairs = (channels + 1) // 2
    counter = torch.arange(pairs, device=place.device)
    radius = _hash((key[:, None] + counter * 2) & _MASK)
    angle = _hash((key[:, None] + counter * 2 + 1) & _MASK)
    length = torch.sqrt(-2 * torch.log((radius.float() + 1) / (_MASK + 1.0)).clamp(max=0))
    turn = angle.float() * (2 * math.pi / (_MASK + 1.0))  # Box–Muller
    return torch.cat((length * turn.cos(), length * turn.sin()), dim=1)[:, :channels]
