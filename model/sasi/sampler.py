"""Flow matching: from noise to a clean latent in N steps (eq. 12–14)."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor

Velocity = Callable[[Tensor, float], Tensor]
"""(noisy latent, sigma in (0, 1]) -> v = ε − z0, of the latent's shape."""


def add_noise(clean: Tensor, noise: Tensor, sigma: float) -> Tensor:
    """Move a clean latent towards noise: z_σ = (1 − σ) z0 + σ ε (eq. 12)."""
    return (1 - sigma) * clean + sigma * noise


def velocity_from_clean(noisy: Tensor, clean: Tensor, sigma: float) -> Tensor:
    """Give v = ε − z0 for a network that predicts z0: with eq. 12, v = (z_σ − z0) / σ."""
    return (noisy - clean) / sigma


def sample(velocity: Velocity, noise: Tensor, steps: int, on_step: Callable[[int], None] | None = None) -> Tensor:
    """Integrate dz/dσ = v from σ = 1 to 0 in equal steps (eq. 14); one step is one network call.

    on_step  called with the number of finished steps after each; may raise to stop
    """
    sigmas = torch.linspace(1, 0, steps + 1).tolist()
    latent = noise
    for step, (sigma, following) in enumerate(pairwise(sigmas), start=1):
        latent = latent + velocity(latent, sigma) * (following - sigma)
        if on_step is not None:
            on_step(step)
    return latent
