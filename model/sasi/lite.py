"""The member `lite`: tokens are pixel patches; the network copies what it can (docs/decisions/lite_pixel_tokens.md)."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from model.sasi.blend import blend_tokens, feather_weight
from model.sasi.conditions import prepare_conditions
from model.sasi.inpainter import ENCODED, SAMPLED, STAGE, Card, FillRules, Inpainter, Progress
from model.sasi.lent_detail import lend_detail
from model.sasi.noise import position_noise
from model.sasi.parts import BYTES_PER_PIXEL, frames_around, free_bytes, plan_parts
from model.sasi.sampler import sample
from model.sasi.tokens import keep_index, scatter_patches, token_mask
from model.sasi.transformer import known_latent
from model.sasi.weights import LoadedWeights


class LiteInpainter(Inpainter):
    """A lite network with its candidates, selection and sampler (eq. 10–15).

    memory_limit_bytes  a fill that would take more is computed in parts; None = all that is free
    """

    memory_limit_bytes: int | None = None

    def __init__(self, weights: LoadedWeights) -> None:
        about = weights.metadata
        card = Card(weights.name, weights.version, about.get("license", "unknown"), about.get("detail", ""))
        super().__init__(card, weights.network.config.patch_px)
        self._network = weights.network

    def _sample(
        self, view: Tensor, hole: Tensor, disparity: Tensor, feather_px: float, rules: FillRules, progress: Progress
    ) -> tuple[Tensor, float]:
        frames, _, height, width = view.shape
        around = frames_around(self._network.config)
        parts = plan_parts(frames, height * width * BYTES_PER_PIXEL, self._free_bytes(view.device), around)
        if len(parts) == 1:
            return self._sample_part(view, hole, disparity, feather_px, rules, progress)
        image, retention = view.clone(), 0.0
        for number, part in enumerate(parts):
            seen = slice(part.first, part.last)
            shifted = replace(rules, first_frame=rules.first_frame + part.first)
            tell = partial(_tell_part, progress, number, len(parts))
            filled, kept = self._sample_part(view[seen], hole[seen], disparity[seen], feather_px, shifted, tell)
            image[part.start : part.end] = filled[part.core]
            retention += kept * (part.end - part.start) / frames
        return image, retention

    def _free_bytes(self, device: torch.device) -> int | None:
        known = [size for size in (free_bytes(device), self.memory_limit_bytes) if size is not None]
        return min(known, default=None)

    def _sample_part(
        self, view: Tensor, hole: Tensor, disparity: Tensor, feather_px: float, rules: FillRules, progress: Progress
    ) -> tuple[Tensor, float]:
        patch_px = self.patch_px
        conditions = prepare_conditions(view, hole, disparity, view.shape[0])
        progress(STAGE, ENCODED)
        number = torch.arange(rules.first_frame, rules.first_frame + view.shape[0], device=view.device)
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
        image = lend_detail(scatter_patches(patches, kept, conditions.known, patch_px), conditions)
        return image, len(kept) / touched.numel()


def _tell_part(progress: Progress, number: int, count: int, stage: str, fraction: float) -> None:
    progress(stage, (number + fraction) / count)
