"""One training step and one validation pass, free of files."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from model.data.dataset import Batch
from model.sasi.conditions import row_fill
from model.sasi.fill_rules import FillRules
from model.sasi.lent_detail import lend_detail
from model.sasi.noise import position_noise
from model.sasi.sampler import add_noise, sample
from model.sasi.tokens import TokenIndex, gather_patches, keep_index, scatter_patches, token_mask
from model.sasi.transformer import SasiTransformer
from model.train.config import LossRules, RunRules
from model.train.losses import fill_loss, pixel_weight, shortfall_loss
from model.train.lpips import Lpips
from model.train.measures import HoleScore

Perceptual = Callable[[Tensor, Tensor], Tensor]
"""(image, truth) (F, 3, H, W) 0..1 -> scalar"""
_LEAST_HOLE = 0.005


def training_loss(
    network: SasiTransformer,
    batch: Batch,
    step: int,
    run: RunRules,
    rules: LossRules,
    perceptual: Perceptual | None = None,
) -> dict[str, Tensor]:
    """Predict z0 from a noisy latent and compare; sigma and dilation are functions of seed and step.

    returns the weighted parts of the loss by name; their sum is to be made small
    """
    rng = np.random.default_rng((run.seed, step))
    sigma = 1.0 if rng.random() < run.one_step_share else float(rng.uniform(0.05, 1))
    patch_px = network.config.patch_px
    kept, wanted = select(batch, patch_px, int(rng.choice(run.dilations)))
    noise = position_noise(kept.place, 3 * patch_px**2, seed=int(rng.integers(1 << 31)))
    clean = gather_patches(batch.truth, kept, patch_px).flatten(1) * 2 - 1
    with torch.autocast("cpu", torch.bfloat16, enabled=run.bf16):
        colours = network.predict(add_noise(clean, noise, sigma), sigma, batch.conditions, kept, wanted)
    image = scatter_patches(colours.float(), kept.subset(wanted), batch.conditions.known, patch_px)
    if run.lend:
        image = lend_detail(image, batch.conditions)
    shown = torch.arange(step % batch.frames, len(image), batch.frames)  # one frame of each window: LPIPS is costly
    return loss_parts(image, batch, rules, perceptual, shown)


def loss_parts(
    image: Tensor, batch: Batch, rules: LossRules, perceptual: Perceptual | None, shown: Tensor
) -> dict[str, Tensor]:
    """Compare predicted frames (F, 3, H, W) with the truth; `shown` are the frames that LPIPS looks at."""
    hole, start = batch.conditions.hole, batch.conditions.known
    changed = (image.detach() != start).any(dim=1, keepdim=True)
    weight = pixel_weight(hole, batch.edge, changed, rules)
    parts = {"pixel": fill_loss(image, batch.truth, start, weight, rules)}
    filled = torch.where(hole, image, batch.truth)
    if perceptual is not None:
        share = hole[shown].float().mean().clamp(min=_LEAST_HOLE)  # a mean over pictures is small where holes are
        parts["perceptual"] = rules.perceptual * perceptual(filled[shown], batch.truth[shown]) / share
    if rules.shortfall:
        inner = hole & ~batch.edge
        parts["shortfall"] = rules.shortfall * shortfall_loss(image, batch.truth, start, inner, rules)
    return parts


def select(batch: Batch, patch_px: int, dilation: int) -> tuple[TokenIndex, Tensor]:
    """Tokens to compute, and which of them to predict: those that a hole touches. (N,) bool."""
    marked = token_mask(batch.conditions.hole, patch_px)
    kept = keep_index(marked, batch.frame_number, dilation)
    return kept, marked.flatten()[kept.flat]


@torch.no_grad()
def fill_batch(network: SasiTransformer, batch: Batch) -> Tensor:
    """Fill a batch in one step at the product's own dilation: the frames (F, 3, H, W), 0..1."""
    patch_px = network.config.patch_px
    kept, wanted = select(batch, patch_px, FillRules().dilation)
    noise = position_noise(kept.place, 3 * patch_px**2)
    latent = sample(lambda noisy, sigma: network(noisy, sigma, batch.conditions, kept, wanted), noise, steps=1)
    patches = (latent.unflatten(1, (3, -1)) + 1) / 2
    image = lend_detail(scatter_patches(patches, kept, batch.conditions.known, patch_px), batch.conditions)
    return torch.where(batch.conditions.hole, image, batch.conditions.known)


def score_fills(
    network: SasiTransformer, batches: list[Batch], lpips: Lpips | None = None
) -> dict[str, list[HoleScore]]:
    """Score the network, row fill and background push-pull on the same windows, each window by itself.

    lpips  looks at the middle frame of each window; None = left out
    """
    scores: dict[str, list[HoleScore]] = {}
    for batch in batches:
        conditions, middle = batch.conditions, slice(batch.frames // 2, batch.frames // 2 + 1)
        hole = conditions.hole
        fills = {"sasi": fill_batch(network, batch), "row fill": row_fill(conditions), "push-pull": conditions.known}
        for name, image in fills.items():
            score = HoleScore()
            score.add(image, batch.truth, hole, batch.edge)
            if lpips is not None:
                mixed = torch.where(hole, image, batch.truth)[middle].clamp(0, 1)
                score.add_distance(lpips.per_picture(mixed, batch.truth[middle]))
            scores.setdefault(name, []).append(score)
    return scores
