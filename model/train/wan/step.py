"""The losses of a LoRA step: flow matching (eq. 12–13), and learning many steps in one."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from model.sasi.sampler import add_noise, sample
from model.sasi.wan.codec import WanCodec
from model.sasi.wan.inpainter import latent_mask
from model.sasi.wan.transformer import Prompt, WanTransformer
from model.train.wan.windows import Windows

_LEAST_SIGMA = 0.02


@dataclass(frozen=True)
class Latents:
    """What a step needs of some windows; all tokens are computed in training.

    clean (B, 16, t, h, w), z0     condition (B, 17, t, h, w), m ⊕ z_m     holed (B, 1, t, h, w) bool, m
    """

    clean: Tensor
    condition: Tensor
    holed: Tensor

    def part(self, start: int, count: int) -> Latents:
        """Some of the windows."""
        cut = slice(start, start + count)
        return Latents(self.clean[cut], self.condition[cut], self.holed[cut])


@torch.no_grad()
def encode_windows(codec: WanCodec, windows: Windows, device: torch.device | str) -> Latents:
    """Encode truth and masked view, one window after the other."""
    clean, known = (
        torch.cat([codec.encode(video[None].to(device)) for video in videos])
        for videos in (windows.truth, windows.masked)
    )
    holed = torch.stack([latent_mask(hole) for hole in windows.hole])[:, None].to(device)
    return Latents(clean, torch.cat((holed.float(), known), dim=1), holed)


def draw_sigma(generator: torch.Generator, one_step_share: float) -> float:
    """Draw a noise level: 1 in a share of the steps, else anything above 0."""
    kind, level = torch.rand(2, generator=generator).tolist()
    return 1.0 if kind < one_step_share else _LEAST_SIGMA + (1 - _LEAST_SIGMA) * level


def draw_noise(generator: torch.Generator, like: Tensor) -> Tensor:
    """Draw on the processor, so that every kind of device trains on the same noise."""
    return torch.randn(like.shape, generator=generator).to(like.device)


def flow_loss(network: WanTransformer, prompt: Prompt, latents: Latents, noise: Tensor, sigma: float) -> Tensor:
    """Mean squared error of the velocity: eq. 13 squared, and over all latents, for training is dense."""
    found = network(add_noise(latents.clean, noise, sigma), sigma, prompt, latents.condition)
    return F.mse_loss(found, noise - latents.clean)


def distillation_loss(
    network: WanTransformer, teacher: WanTransformer, prompt: Prompt, latents: Latents, noise: Tensor, steps: int
) -> Tensor:
    """Mean squared error of one step against what the teacher reaches from the same noise in `steps` steps."""
    with torch.no_grad():
        reached = fill_latents(teacher, prompt, latents, noise, steps)
    found = network(noise, 1.0, prompt, latents.condition)
    return F.mse_loss(found, noise - reached)


def fill_latents(network: WanTransformer, prompt: Prompt, latents: Latents, noise: Tensor, steps: int) -> Tensor:
    """Sample whole windows: (B, 16, t, h, w)."""
    return sample(lambda noisy, sigma: network(noisy, sigma, prompt, latents.condition), noise, steps)
