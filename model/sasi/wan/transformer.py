"""The network of Wan 2.1 T2V on kept tokens: noisy latents in, their velocity out."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from model.errors import ShapeError
from model.sasi.blocks import Block, BlockShape, Context, Matrix, plain_norm, sigma_embedding
from model.sasi.rope import rotations
from model.sasi.tokens import TokenIndex
from model.sasi.wan.config import CONDITION_CHANNELS, LATENT_CHANNELS, PATCH, WanConfig
from model.sasi.wan.patches import all_tokens, gather_latents, scatter_latents

ROPE_BASE = 10_000.0


@dataclass(frozen=True)
class Prompt:
    """A text as the text encoder gives it, equal tokens written once.

    tokens (1 or B, L, text width)     count (L,) float32, how many times each stands in the text
    """

    tokens: Tensor
    count: Tensor


class WanTransformer(nn.Module):
    """Blocks of Wan 2.1 over kept tokens, with added input for the mask and the masked view's latent.

    Same blocks as `lite` (`model.sasi.blocks`), another embedding and another head: lite embeds hand-made candidates
    and its head copies pixels, which VAE latents have no use for.
    """

    def __init__(self, config: WanConfig) -> None:
        super().__init__()
        self.config = config
        width, per_token = config.width, PATCH**2
        self.embed_noisy = Matrix(LATENT_CHANNELS * per_token, width)
        self.embed_condition = Matrix(CONDITION_CHANNELS * per_token, width, bias=False)
        nn.init.zeros_(self.embed_condition.weight)
        self.time = nn.Sequential(nn.Linear(config.time_width, width), nn.SiLU(), nn.Linear(width, width))
        self.steer = nn.Linear(width, 6 * width)
        self.text = nn.Sequential(Matrix(config.text_width, width), nn.GELU("tanh"), Matrix(width, width))
        shape = BlockShape(width, config.heads, config.mlp_width, norm_across_heads=True, reads_context=True)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(config.layers))
        self.head = Matrix(width, LATENT_CHANNELS * per_token)
        self.head_modulation = nn.Parameter(torch.randn(2, width) / width**0.5)
        self.recompute = False  # in training: blocks are run again on the way back instead of kept in memory

    def forward(
        self,
        latents: Tensor,
        sigma: float | Tensor,
        context: Tensor | Prompt,
        condition: Tensor | None = None,
        kept: TokenIndex | None = None,
    ) -> Tensor:
        """Give the velocity v = ε − z0 of noisy latents: D of eq. 13.

        latents    (B, 16, T, H, W), H and W even, T frames of latents
        sigma      noise level in (0, 1], one or (B,)
        context    (1 or B, L, text width), or the same with equal tokens counted
        condition  (B, 17, T, H, W), mask ⊕ masked latent; None: plain Wan 2.1
        kept       tokens to compute; None is all of them. They see each other and nothing else
        returns    (B, 16, T, H, W) float32, 0 where no token was kept

        Raises ShapeError for sizes that do not fit.
        """
        _check(latents, condition, context, self.config.text_width)
        kept = all_tokens(latents) if kept is None else kept
        noisy = gather_latents(latents, kept)
        known = None if condition is None else gather_latents(condition, kept)
        velocity = self.velocity(noisy, sigma, context, known, kept)
        return scatter_latents(velocity, kept, torch.zeros_like(latents, dtype=velocity.dtype))

    def velocity(
        self, noisy: Tensor, sigma: float | Tensor, context: Tensor | Prompt, known: Tensor | None, kept: TokenIndex
    ) -> Tensor:
        """As `forward`, on tokens: noisy (B, N, 64), known (B, N, 68), result (B, N, 64) float32."""
        tokens = self.embed_noisy(noisy).float()
        if known is not None:
            tokens = tokens + self.embed_condition(known)
        levels = torch.as_tensor(sigma, dtype=torch.float32, device=noisy.device).expand(noisy.shape[0])
        time = self.time(sigma_embedding(levels, self.config.time_width))  # (B, D)
        steer = self.steer(nn.functional.silu(time)).unflatten(-1, (6, -1))
        cos, sin = rotations(kept.position, self.config.rope, ROPE_BASE)
        read = self._read(context, noisy.shape[0])
        for block in self.blocks:
            if self.recompute and torch.is_grad_enabled():
                tokens = checkpoint(block, tokens, steer, None, cos, sin, read, use_reentrant=False)
            else:
                tokens = block(tokens, steer, None, cos, sin, read)
        shift, scale = (self.head_modulation + time[:, None]).unsqueeze(-2).unbind(1)
        return self.head(plain_norm(tokens) * (1 + scale) + shift).float()

    def _read(self, context: Tensor | Prompt, batch: int) -> Context:
        text = context.tokens if isinstance(context, Prompt) else context
        embedded = self.text(text).expand(batch, -1, -1)
        return Context(embedded, context.count.log() if isinstance(context, Prompt) else None)

    def in_precision(self, dtype: torch.dtype) -> WanTransformer:
        """Take the matrices to `dtype`; norms, modulations and the residual stream stay float32. Returns itself."""
        for module in self.modules():
            if isinstance(module, Matrix):
                module.to(dtype)
        return self


def _check(latents: Tensor, condition: Tensor | None, context: Tensor | Prompt, text_width: int) -> None:
    size = tuple(latents.shape)
    if latents.ndim != 5 or size[1] != LATENT_CHANNELS or size[3] % PATCH or size[4] % PATCH or 0 in size:
        raise ShapeError(f"latents must be (B, {LATENT_CHANNELS}, T, H, W) with even H and W; got {size}")
    expected = (size[0], CONDITION_CHANNELS, *size[2:])
    if condition is not None and tuple(condition.shape) != expected:
        raise ShapeError(f"condition must be {expected}, mask and masked latent; got {tuple(condition.shape)}")
    text = tuple((context.tokens if isinstance(context, Prompt) else context).shape)
    if len(text) != 3 or text[0] not in (1, size[0]) or text[2] != text_width:
        raise ShapeError(f"context must be (1 or {size[0]}, L, {text_width}); got {text}")
