"""The transformer block of both members: attention over kept tokens and an MLP, both steered by sigma (adaLN).

`lite` attends inside cells and normalises queries and keys head by head. Wan 2.1 attends over all kept tokens,
normalises across heads, and reads a text context between attention and MLP. The residual stream is as exact as the
tokens that come in; matrices may be in half precision, for every `Matrix` takes its input to its own kind.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.sasi.config import Scope
from model.sasi.rope import rotate


@dataclass(frozen=True)
class CellLayout:
    """Where each of N kept tokens sits when tokens are laid out as (cells, slots).

    slot (N,) int64, place in the flattened layout     taken (cells, slots) bool, False = empty place
    """

    slot: Tensor
    taken: Tensor

    def divided(self, places_at_once: int) -> list[tuple[Tensor, CellLayout]]:
        """Divide into runs of whole cells of about `places_at_once` places: their tokens' numbers, and their layout."""
        slots = self.taken.shape[1]
        runs = []
        for run, taken in enumerate(self.taken.split(at_once := max(1, places_at_once // slots))):
            first = run * at_once * slots
            chosen = ((self.slot >= first) & (self.slot < first + taken.numel())).nonzero()[:, 0]
            runs.append((chosen, CellLayout(self.slot[chosen] - first, taken)))
        return runs


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


@dataclass(frozen=True)
class Context:
    """A text as every block reads it.

    tokens     (B, L, D)
    log_count  (L,), logarithm of how many times each token stands there; None is once each
    """

    tokens: Tensor
    log_count: Tensor | None = None


@dataclass(frozen=True)
class BlockShape:
    """Sizes of a block, and the two things in which Wan 2.1's differs from lite's."""

    width: int  # D
    heads: int
    mlp_width: int
    norm_across_heads: bool = False
    reads_context: bool = False


class Matrix(nn.Linear):
    """A linear layer that takes its input to the precision of its weights."""

    def forward(self, input: Tensor) -> Tensor:
        """Multiply (..., D) by the weights."""
        return super().forward(input.to(self.weight.dtype))


class Attention(nn.Module):
    """Multi-head attention with normalised queries and keys; D is the width, d = D / heads.

    norm_width  channels that are normalised together: d, each head alone, or D, across heads as in Wan 2.1
    """

    def __init__(self, width: int, heads: int, norm_width: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = Matrix(width, 3 * width)
        self.query_norm = nn.RMSNorm(norm_width, eps=1e-6)
        self.key_norm = nn.RMSNorm(norm_width, eps=1e-6)
        self.out = Matrix(width, width)

    def forward(self, tokens: Tensor, layout: CellLayout | None, cos: Tensor, sin: Tensor) -> Tensor:
        """Mix tokens: (N, D) with their cell, or (B, N, D) with all tokens when there is no layout; same shape out."""
        query, key, value = self.qkv(tokens).unflatten(-1, (3, self.heads, -1)).unbind(-3)  # each (..., N, heads, d)
        query = rotate(normalised(self.query_norm, query), cos, sin).to(value.dtype)
        key = rotate(normalised(self.key_norm, key), cos, sin).to(value.dtype)
        if layout is None:
            return self.out(attend(query, key, value).flatten(-2))
        return self.out(_attend_in_cells(torch.stack((query, key, value), dim=1), layout).flatten(1))


class CrossAttention(nn.Module):
    """Tokens look at a text context, with normalised queries and keys as in Wan 2.1."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = Matrix(width, width)
        self.key_value = Matrix(width, 2 * width)
        self.query_norm = nn.RMSNorm(width, eps=1e-6)
        self.key_norm = nn.RMSNorm(width, eps=1e-6)
        self.out = Matrix(width, width)

    def forward(self, tokens: Tensor, context: Context) -> Tensor:
        """Read the context: tokens (B, N, D); same shape out."""
        query = normalised(self.query_norm, self.query(tokens).unflatten(-1, (self.heads, -1)))
        key, value = self.key_value(context.tokens).unflatten(-1, (2, self.heads, -1)).unbind(-3)
        key = normalised(self.key_norm, key)
        bias = None if context.log_count is None else context.log_count.to(value.dtype)
        return self.out(attend(query.to(value.dtype), key.to(value.dtype), value, bias).flatten(-2))


def normalised(norm: nn.RMSNorm, heads: Tensor) -> Tensor:
    """Normalise (..., heads, d) in float32, over a head or over all heads as the norm is wide."""
    return norm(heads.float().flatten(-2).unflatten(-1, (-1, norm.normalized_shape[0]))).view(heads.shape)


def attend(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None = None) -> Tensor:
    """Attend over all tokens at hand; each (B, N, heads, d), the same out. bias (N,) is added to the scores."""
    bias = None if bias is None else bias[None]  # for every query
    mixed = F.scaled_dot_product_attention(*(x.transpose(1, 2) for x in (query, key, value)), attn_mask=bias)
    return mixed.transpose(1, 2)


def _attend_in_cells(stacked: Tensor, layout: CellLayout) -> Tensor:
    """Attend inside cells: (N, 3, heads, d) queries, keys and values to (N, heads, d)."""
    cells, slots = layout.taken.shape
    spread = stacked.new_zeros((cells * slots, *stacked.shape[1:])).index_copy(0, layout.slot, stacked)
    # (cells, slots, 3, heads, d) -> 3 × (cells, heads, slots, d)
    query, key, value = spread.unflatten(0, (cells, slots)).permute(2, 0, 3, 1, 4)
    mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=layout.taken[:, None, None])
    return mixed.transpose(1, 2).flatten(0, 1)[layout.slot]


class Block(nn.Module):
    """Attention and MLP; six vectors from sigma shift, scale and gate them (adaLN, Peebles & Xie 2022)."""

    def __init__(self, shape: BlockShape) -> None:
        super().__init__()
        width, heads = shape.width, shape.heads
        self.attention = Attention(width, heads, width if shape.norm_across_heads else width // heads)
        self.mlp = nn.Sequential(Matrix(width, shape.mlp_width), nn.GELU("tanh"), Matrix(shape.mlp_width, width))
        self.modulation = nn.Parameter(torch.randn(6, width) / width**0.5)
        if shape.reads_context:
            self.cross_norm = nn.LayerNorm(width, eps=1e-6)
            self.cross = CrossAttention(width, heads)

    def forward(
        self,
        tokens: Tensor,
        steer: Tensor,
        layout: CellLayout | None,
        cos: Tensor,
        sin: Tensor,
        context: Context | None = None,
    ) -> Tensor:
        """Run tokens (N, D) in cells, or (B, N, D) all together; same shape out.

        steer (6, D) or (B, 6, D), the network's embedding of sigma
        """
        six = (self.modulation + steer).unsqueeze(-2).unbind(-3)  # each (1, D) or (B, 1, D)
        shift_a, scale_a, gate_a, shift_m, scale_m, gate_m = six
        normed = plain_norm(tokens) * (1 + scale_a) + shift_a
        tokens = tokens + gate_a * self.attention(normed, layout, cos, sin)
        if context is not None:
            tokens = tokens + self.cross(self.cross_norm(tokens), context)
        return tokens + gate_m * self.mlp(plain_norm(tokens) * (1 + scale_m) + shift_m)


def plain_norm(tokens: Tensor) -> Tensor:
    """Layer norm without weights, in float32."""
    return F.layer_norm(tokens.float(), tokens.shape[-1:], eps=1e-6)


def sigma_embedding(sigma: Tensor, width: int) -> Tensor:
    """Sines and cosines of 1000·sigma: (...) float32 to (..., width) float32."""
    frequency = torch.exp(torch.arange(width // 2, device=sigma.device) * (-math.log(10000) / (width // 2)))
    angle = 1000 * sigma[..., None] * frequency
    return torch.cat((angle.cos(), angle.sin()), dim=-1)
