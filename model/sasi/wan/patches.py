"""Moving latents in and out of tokens: 2×2 latents of one latent frame, channels first inside a token."""

from __future__ import annotations

import torch
from torch import Tensor

from model.sasi.tokens import TokenIndex
from model.sasi.wan.config import PATCH


def all_tokens(latents: Tensor) -> TokenIndex:
    """Keep every token of latents (..., T, H, W)."""
    t, h, w = latents.shape[-3], latents.shape[-2] // PATCH, latents.shape[-1] // PATCH
    every = torch.ones(t, h, w, dtype=torch.bool, device=latents.device)
    return TokenIndex(every.nonzero(), (t, h, w), torch.arange(t, device=latents.device))


def gather_latents(latents: Tensor, kept: TokenIndex) -> Tensor:
    """Cut the kept tokens out of latents: (B, C, T, H, W) -> (B, N, C · 4)."""
    batch, channels = latents.shape[:2]
    t, h, w = kept.grid
    grid = latents.reshape(batch, channels, t, h, PATCH, w, PATCH).permute(0, 2, 3, 5, 1, 4, 6)
    return grid.flatten(4).flatten(1, 3)[:, kept.flat]


def scatter_latents(tokens: Tensor, kept: TokenIndex, onto: Tensor) -> Tensor:
    """Put tokens (B, N, C · 4) into a copy of `onto` (B, C, T, H, W) and return it."""
    batch, channels = onto.shape[:2]
    t, h, w = kept.grid
    grid = onto.clone().view(batch, channels, t, h, PATCH, w, PATCH)
    place_t, y, x = kept.position.unbind(1)
    # indices apart from each other come first: (N, B, C, 2, 2)
    grid[:, :, place_t, y, :, x] = tokens.unflatten(-1, (channels, PATCH, PATCH)).transpose(0, 1).to(grid.dtype)
    return grid.view_as(onto)
