"""The transformer block: attention inside cells of kept tokens and an MLP, both steered by sigma (adaLN)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.sasi.config import SasiConfig, Scope
from model.sasi.rope import rotate


@dataclass(frozen=True)
class CellLayout:
    """Where each of N kept tokens sits when tokens are laid out as (cells, slots).

    slot (N,) int64, place in the flattened layout     taken (cells, slots) bool, False = empty place
    """

    slot: Tensor
    taken: Tensor


def lay_out(place: Tensor, scope: Scope) -> CellLayout:
    """Sort tokens into cells that hold at least one of them; place is (N, 3) int64, (t, y, x), t may be negative."""
    extent = torch.tensor(scope.extent, device=place.device)
    moved = place + torch.tensor(scope.offset, device=place.device)
    cell, inner = moved // extent, moved % extent
    span = cell.amax(dim=0) + 1
    number = (cell[:, 0] * span[1] + cell[:, 1]) * span[2] + cell[:, 2]
    occupied, rank = number.unique(return_inverse=True)
    _, ny, nx = scope.extent
    slots = scope.extent[0] * ny * nx
    slot = rank * slots + (inner[:, 0] * ny + inner[:, 1]) * nx + inner[:, 2]
    taken = torch.zeros(len(occupied) * slots, dtype=torch.bool, device=place.device)
    taken[slot] = True
    return CellLayout(slot, taken.view(-1, slots))


class CellAttention(nn.Module):
    """Multi-head attention with normalised queries and keys, over the kept tokens of one cell."""

    def __init__(self, config: SasiConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.qkv = nn.Linear(config.width, 3 * config.width)
        self.query_norm = nn.RMSNorm(config.width // config.heads, eps=1e-6)
        self.key_norm = nn.RMSNorm(config.width // config.heads, eps=1e-6)
        self.out = nn.Linear(config.width, config.width)

    def forward(self, tokens: Tensor, layout: CellLayout, cos: Tensor, sin: Tensor) -> Tensor:
        """Mix tokens (N, D) with their cell; same shape out."""
        query, key, value = self.qkv(tokens).unflatten(1, (3, self.heads, -1)).unbind(1)  # each (N, heads, d)
        query = rotate(self.query_norm(query.float()), cos, sin)
        key = rotate(self.key_norm(key.float()), cos, sin)
        stacked = torch.stack((query.to(value.dtype), key.to(value.dtype), value), dim=1)
        cells, slots = layout.taken.shape
        spread = stacked.new_zeros((cells * slots, *stacked.shape[1:])).index_copy(0, layout.slot, stacked)
        # (cells, slots, 3, heads, d) -> 3 × (cells, heads, slots, d)
        query, key, value = spread.unflatten(0, (cells, slots)).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=layout.taken[:, None, None])
        return self.out(mixed.transpose(1, 2).flatten(0, 1)[layout.slot].flatten(1))


class Block(nn.Module):
    """Attention and MLP; six vectors from sigma shift, scale and gate them (adaLN, Peebles & Xie 2022)."""

    def __init__(self, config: SasiConfig) -> None:
        super().__init__()
        width = config.width
        self.attention = CellAttention(config)
        self.mlp = nn.Sequential(
            nn.Linear(width, config.mlp_ratio * width), nn.GELU("tanh"), nn.Linear(config.mlp_ratio * width, width)
        )
        self.modulation = nn.Parameter(torch.randn(6, width) / width**0.5)

    def forward(self, tokens: Tensor, steer: Tensor, layout: CellLayout, cos: Tensor, sin: Tensor) -> Tensor:
        """Run (N, D) tokens; steer (6, D) is the network's embedding of sigma."""
        shift_a, scale_a, gate_a, shift_m, scale_m, gate_m = (self.modulation + steer).unbind(0)
        normed = _norm(tokens) * (1 + scale_a) + shift_a
        tokens = tokens + gate_a * self.attention(normed, layout, cos, sin)
        return tokens + gate_m * self.mlp(_norm(tokens) * (1 + scale_m) + shift_m)


def _norm(tokens: Tensor) -> Tensor:
    return F.layer_norm(tokens.float(), tokens.shape[-1:], eps=1e-6)
