"""The network: kept tokens in, the velocity of their latents out."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from model.sasi.blocks import Block, BlockShape, CellLayout, lay_out, sigma_embedding
from model.sasi.conditions import FEATURE_CHANNELS, Part, token_features, token_guesses
from model.sasi.config import SasiConfig
from model.sasi.copy_head import CopyHead
from model.sasi.rebuilt import AnyConditions
from model.sasi.rope import rotations
from model.sasi.sampler import velocity_from_clean
from model.sasi.tokens import TokenIndex, gather_patches

TOKENS_AT_ONCE = 1 << 13
"""Tokens, or places of cells, that are computed together. Fewer are no slower on a processor, and need less memory."""


class SasiTransformer(nn.Module):
    """A diffusion transformer over kept tokens with a copy head.

    Latents are pixel patches (an identity codec): z = 2·colour − 1, (N, 3 · p²).
    """

    def __init__(self, config: SasiConfig) -> None:
        super().__init__()
        self.config = config
        pixels = config.patch_px**2
        self.embed_noisy = nn.Linear(3 * pixels, config.width)
        self.embed_features = nn.Linear(FEATURE_CHANNELS * pixels, config.width)
        self.steer = nn.Sequential(
            nn.Linear(config.width, config.width), nn.SiLU(), nn.Linear(config.width, 6 * config.width)
        )
        shape = BlockShape(config.width, config.heads, config.mlp_ratio * config.width)
        self.blocks = nn.ModuleList(Block(shape) for _ in config.scopes)
        self.final_norm = nn.LayerNorm(config.width, eps=1e-6)
        self.head = CopyHead(config)

    def forward(
        self, noisy: Tensor, sigma: float, conditions: AnyConditions, kept: TokenIndex, wanted: Tensor
    ) -> Tensor:
        """Give the velocity v = ε − z0 of every kept token: D of eq. 13.

        noisy (N, 3 · p²)     wanted (N,) bool, tokens to predict; the others' z0 is the known z_m
        """
        predicted = self.predict(noisy, sigma, conditions, kept, wanted).flatten(1) * 2 - 1
        clean = known_latent(conditions, kept, self.config.patch_px)
        clean = clean.index_copy(0, wanted.nonzero()[:, 0], predicted.to(clean.dtype))
        return velocity_from_clean(noisy, clean, sigma)

    def predict(
        self, noisy: Tensor, sigma: float, conditions: AnyConditions, kept: TokenIndex, wanted: Tensor
    ) -> Tensor:
        """Predict the colours of the wanted tokens: (M, 3, p²), about 0..1."""
        config = self.config
        tokens = torch.cat([self._embedded(noisy[part.rows], part) for part in conditions.parts(kept, TOKENS_AT_ONCE)])
        steer = self.steer(sigma_embedding(torch.tensor(sigma, device=noisy.device), config.width)).view(
            6, config.width
        )
        place = kept.place
        turns = rotations(place - place.amin(dim=0), config.rope)
        cells = {scope: lay_out(place, scope).divided(TOKENS_AT_ONCE) for scope in set(config.scopes)}
        for block, scope in zip(self.blocks, config.scopes, strict=True):
            tokens = _through(block, tokens, steer, cells[scope], turns)
        return self.head(self.final_norm(tokens[wanted]), kept.subset(wanted), conditions)

    def _embedded(self, noisy: Tensor, part: Part) -> Tensor:
        patch_px = self.config.patch_px
        guesses = token_guesses(part.conditions, part.index, patch_px)
        features = token_features(part.conditions, guesses, part.index, patch_px)
        return self.embed_noisy(noisy) + self.embed_features(features)


def _through(
    block: nn.Module,
    tokens: Tensor,
    steer: Tensor,
    cells: list[tuple[Tensor, CellLayout]],
    turns: tuple[Tensor, Tensor],
) -> Tensor:
    """Run a block on runs of cells, one after the other; no token sees another cell's."""
    parts = [block(tokens[chosen], steer, layout, *(turn[chosen] for turn in turns)) for chosen, layout in cells]
    return torch.cat(parts)[torch.cat([chosen for chosen, _ in cells]).argsort()]


def known_latent(conditions: AnyConditions, kept: TokenIndex, patch_px: int) -> Tensor:
    """z_m, the masked view's latent: its patches in −1..1, (N, 3 · p²)."""
    parts = conditions.parts(kept, TOKENS_AT_ONCE)
    return torch.cat([gather_patches(part.conditions.known, part.index, patch_px).flatten(1) for part in parts]) * 2 - 1
