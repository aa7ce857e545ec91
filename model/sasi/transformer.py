"""The network: kept tokens in, the velocity of their latents out."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from model.sasi.blocks import Block, BlockShape, lay_out, sigma_embedding
from model.sasi.conditions import FEATURE_CHANNELS, Conditions, token_features, token_guesses
from model.sasi.config import SasiConfig
from model.sasi.copy_head import CopyHead
from model.sasi.rope import rotations
from model.sasi.sampler import velocity_from_clean
from model.sasi.tokens import TokenIndex, gather_patches


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

    def forward(self, noisy: Tensor, sigma: float, conditions: Conditions, kept: TokenIndex, wanted: Tensor) -> Tensor:
        """Give the velocity v = ε − z0 of every kept token (eq. 13).

        noisy (N, 3 · p²)     wanted (N,) bool, tokens to predict; the others' z0 is the known z_m
        """
        clean = known_latent(conditions, kept, self.config.patch_px)
        predicted = self.predict(noisy, sigma, conditions, kept, wanted).flatten(1) * 2 - 1
        clean = clean.index_copy(0, wanted.nonzero()[:, 0], predicted.to(clean.dtype))
        return velocity_from_clean(noisy, clean, sigma)

    def predict(self, noisy: Tensor, sigma: float, conditions: Conditions, kept: TokenIndex, wanted: Tensor) -> Tensor:
        """Predict the colours of the wanted tokens: (M, 3, p²), about 0..1."""
        config = self.config
        guesses = token_guesses(conditions, kept, config.patch_px)
        features = token_features(conditions, guesses, kept, config.patch_px)
        tokens = self.embed_noisy(noisy) + self.embed_features(features)
        steer = self.steer(sigma_embedding(torch.tensor(sigma, device=noisy.device), config.width)).view(
            6, config.width
        )
        place = kept.place
        cos, sin = rotations(place - place.amin(dim=0), config.rope)
        layouts = {scope: lay_out(place, scope) for scope in set(config.scopes)}
        for block, scope in zip(self.blocks, config.scopes, strict=True):
            tokens = block(tokens, steer, layouts[scope], cos, sin)
        asked = kept.subset(wanted)
        return self.head(self.final_norm(tokens[wanted]), asked, conditions.atlas, guesses.subset(wanted))


def known_latent(conditions: Conditions, kept: TokenIndex, patch_px: int) -> Tensor:
    """z_m, the masked view's latent: its patches in −1..1, (N, 3 · p²)."""
    return gather_patches(conditions.known, kept, patch_px).flatten(1) * 2 - 1
