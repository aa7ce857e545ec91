"""The member `lite`: tokens are pixel patches; the network copies what it can (docs/decisions/lite_pixel_tokens.md)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from model.sasi.blend import blend_tokens, feather_weight
from model.sasi.conditions import prepare_conditions
from model.sasi.fill_rules import FillRules
from model.sasi.inpainter import ENCODED, SAMPLED, STAGE, Card, Inpainter, Progress
from model.sasi.lent_detail import lend_detail
from model.sasi.memory import lacks_memory_for
from model.sasi.noise import position_noise
from model.sasi.rebuilt import RebuiltConditions
from model.sasi.sampler import sample
from model.sasi.tokens import keep_index, scatter_patches, token_mask
from model.sasi.transformer import known_latent
from model.sasi.weights import LoadedWeights


class LiteInpainter(Inpainter):
    """A lite network with its candidates, selection and sampler: eq. 11–15 with patches of pixels as latents."""

    def __init__(self, weights: LoadedWeights) -> None:
        about = weights.metadata
        card = Card(weights.name, weights.version, about.get("license", "unknown"), about.get("detail", ""))
        super().__init__(card, weights.network.config.patch_px)
        self._network = weights.network

    def _sample(
        self, view: Tensor, hole: Tensor, disparity: Tensor, feather_px: float, rules: FillRules, progress: Progress
    ) -> tuple[Tensor, float]:
        patch_px, frames = self.patch_px, view.shape[0]
        if rules.frugal or lacks_memory_for(view):
            conditions = RebuiltConditions(view, hole, disparity)
        else:
            conditions = prepare_conditions(view, hole, disparity, frames)
        progress(STAGE, ENCODED)
        number = torch.arange(rules.first_frame, rules.first_frame + frames, device=view.device)
        kept = keep_index(token_mask(hole, patch_px), number, rules.dilation, rules.temporal_stride)
        touched = token_mask(feather_weight(hole, math.ceil(feather_px)) > 0, patch_px)
        holed = touched.flatten()[kept.flat]

        def velocity(noisy: Tensor, sigma: float) -> Tensor:
            return self._network(noisy, sigma, conditions, kept, holed)

        def on_step(done: int) -> None:
            progress(STAGE, ENCODED + (SAMPLED - ENCODED) * done / rules.steps)

        latent = sample(velocity, position_noise(kept.place, 3 * patch_px**2), rules.steps, on_step)
        latent = blend_tokens(latent, known_latent(conditions, kept, patch_px), holed)
        patches = ((latent + 1) / 2).unflatten(1, (3, -1))
        image = view.clone()
        for frame in hole.flatten(1).any(dim=1).nonzero()[:, 0].tolist():
            one, (rows, index) = slice(frame, frame + 1), kept.frame(frame)
            filled = scatter_patches(patches[rows], index, view[one], patch_px)
            image[one] = lend_detail(filled, conditions.frame(frame))
        return image, len(kept) / touched.numel()
