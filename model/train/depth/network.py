"""A small U-Net from one picture to nearness: what can be learned without depth that somebody measured."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

HEIGHT, WIDTH = 64, 112
_CHANNELS = (24, 40, 64, 96)
_SAME = 0.03
_PAIRS = 2048


class NearnessNetwork(nn.Module):
    """Guess the order of depth in single pictures; 429,000 weights.

    picture  (B, 3, H, W)  float32, 0..1, display-referred; H, W multiples of 8
    returns  (B, 1, H, W)  float32, larger is nearer; only the order means something
    """

    def __init__(self) -> None:
        super().__init__()
        widths = (4, *_CHANNELS)  # the fourth input is the row: the ground is nearer the lower it is
        self.down = nn.ModuleList([_block(before, after) for before, after in zip(widths, _CHANNELS, strict=False)])
        deepest_first = _CHANNELS[::-1]
        self.up = nn.ModuleList([_block(deep + fine, fine) for deep, fine in pairwise(deepest_first)])
        self.head = nn.Conv2d(_CHANNELS[0], 1, 1)

    def forward(self, picture: Tensor) -> Tensor:
        """Guess nearness; see the class."""
        row = torch.linspace(-1, 1, picture.shape[2]).to(picture)[:, None].expand(len(picture), 1, *picture.shape[2:])
        features, finer = torch.cat((picture - 0.5, row), dim=1), []
        for number, block in enumerate(self.down):
            features = block(F.avg_pool2d(features, 2) if number else features)
            finer.append(features)
        for block, fine in zip(self.up, finer[-2::-1], strict=True):
            enlarged = F.interpolate(features, scale_factor=2, mode="bilinear", align_corners=False)
            features = block(torch.cat((enlarged, fine), dim=1))
        return self.head(features)


def _block(channels: int, out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, out, 3, padding=1), nn.GroupNorm(8, out), nn.SiLU(),
        nn.Conv2d(out, out, 3, padding=1), nn.GroupNorm(8, out), nn.SiLU(),
    )  # fmt: skip


def order_loss(guess: Tensor, nearness: Tensor, rng: np.random.Generator) -> Tensor:
    """Punish pairs of pixels whose order is wrong (Chen et al. 2016): mean softplus of the wrong difference.

    guess     (B, 1, H, W)  float32
    nearness  (B, H, W)     float32, larger is nearer; pixels that differ by less than 0.03 are not compared
    """
    batch, height, width = nearness.shape
    first = rng.integers(0, height * width, (batch, _PAIRS))
    # half of the partners lie near by: order at outlines matters most
    step_y, step_x = rng.integers(-10, 11, (2, batch, _PAIRS))
    beside = np.clip(first // width + step_y, 0, height - 1) * width + np.clip(first % width + step_x, 0, width - 1)
    second = np.where(rng.random((batch, _PAIRS)) < 0.5, beside, rng.integers(0, height * width, (batch, _PAIRS)))
    a, b = torch.from_numpy(first), torch.from_numpy(second)
    guessed = guess.flatten(1).gather(1, a) - guess.flatten(1).gather(1, b)
    true = nearness.flatten(1).gather(1, a) - nearness.flatten(1).gather(1, b)
    weight = (true.abs() > _SAME).float()
    return (F.softplus(-true.sign() * guessed) * weight).sum() / weight.sum().clamp(min=1)
