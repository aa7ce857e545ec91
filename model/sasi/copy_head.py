"""From tokens to pixels by copying: every filled pixel is a weighted choice of real pixels, slightly corrected.

A head that writes pixels freely learns grey or a checkerboard; this one chooses places to copy from, weighs them
against the simple candidates, and may only correct the result by a bounded residual.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from model.sasi.alignment import sample_bilinear
from model.sasi.conditions import TokenGuesses
from model.sasi.config import SasiConfig
from model.sasi.tokens import TokenIndex

GUESSES = 4
"""Row copy, mirror, other frames, and the known pixel (push-pull inside holes)."""
_PART = 2048
"""Tokens whose pixels are mixed at a time: copying takes thousands of numbers per token."""
_START_PX = ((0.0, 0.0), (0.0, 0.0), (8.0, 0.0), (8.0, -12.0), (8.0, 12.0), (24.0, 0.0))
"""Where learned sources start, in px beyond the row source (x towards the background, y down)."""
_LEAST_SHARE = 0.02
"""Smallest share of background in a sample that still tells a colour; below it the known pixel stands in."""
_SURFACE_SLACK_PX = 1.0
_SURFACE_SOFTNESS_PX = 2.0


class CopyHead(nn.Module):
    """Displacements, weights and a residual per token, turned into colours of its pixels."""

    def __init__(self, config: SasiConfig) -> None:
        super().__init__()
        self.config = config
        pixels = config.patch_px**2
        self.sizes = (2 * config.sources, pixels * (config.sources + GUESSES), 3 * pixels)
        self.out = nn.Linear(config.width, sum(self.sizes))
        nn.init.zeros_(self.out.bias)
        nn.init.normal_(self.out.weight, std=0.01)
        with torch.no_grad():
            for source in range(config.sources):
                place = torch.tensor(_START_PX[source % len(_START_PX)])
                self.out.bias[2 * source : 2 * source + 2] = torch.atanh(place / config.reach_px)

    def forward(self, tokens: Tensor, index: TokenIndex, atlas: Tensor, guesses: TokenGuesses) -> Tensor:
        """Colour the pixels of tokens (N, D), copying from `atlas` (F, H, W, 5): (N, 3, p²), about 0..1."""
        config = self.config
        places, logits, residual = self.out(tokens).float().split(self.sizes, dim=1)
        places = _between_tokens(torch.tanh(places) * config.reach_px, index, config.patch_px)  # (N, p², 2 K)
        residual = config.residual * torch.tanh(residual).unflatten(1, (3, -1))
        parts = []
        for part in torch.arange(len(index), device=tokens.device).split(_PART):
            chosen = self._choose(places[part], logits[part], index.subset(part), atlas, guesses.subset(part))
            parts.append(chosen + residual[part])
        return torch.cat(parts)

    def _choose(
        self, places: Tensor, logits: Tensor, index: TokenIndex, atlas: Tensor, guesses: TokenGuesses
    ) -> Tensor:
        """Weigh copied pixels and guesses: (N, 3, p²)."""
        config = self.config
        moved = places.unflatten(2, (config.sources, 2))
        copied, trust = _copy(moved, index, atlas, guesses, config.patch_px)
        guessed, guess_trust = _stacked(guesses)
        logits = logits.unflatten(1, (config.patch_px**2, -1)) + torch.log(torch.cat((trust, guess_trust), 2) + 1e-4)
        weights = logits.softmax(dim=2)  # (N, p², K + GUESSES)
        colours = torch.cat((copied, guessed), dim=2)  # (N, p², K + GUESSES, 3)
        return (weights[..., None] * colours).sum(dim=2).transpose(1, 2)


def _between_tokens(places: Tensor, index: TokenIndex, patch_px: int) -> Tensor:
    """Interpolate a value per token to its pixels over the 3×3 tokens around, so that no seam shows between tokens.

    places (N, C)     returns (N, p², C); neighbours that were not kept are left out of the mean
    """
    table, (_, h, w) = index.lookup(), index.grid
    t, y, x = index.position.unbind(1)
    shares = _tent(patch_px, places.device)
    total = places.new_zeros(len(places), patch_px**2, places.shape[1])
    mass = places.new_zeros(total.shape[:2])
    for neighbour in range(9):
        ny, nx = y + neighbour // 3 - 1, x + neighbour % 3 - 1
        inside = (ny >= 0) & (ny < h) & (nx >= 0) & (nx < w)
        row = table[((t * h + ny.clamp(0, h - 1)) * w + nx.clamp(0, w - 1))].where(inside, -1)
        share = (row >= 0).float()[:, None] * shares[neighbour]  # (N, p²)
        total = total + share[..., None] * places[row.clamp(min=0)][:, None]
        mass = mass + share
    return total / mass[..., None]


def _tent(patch_px: int, device: torch.device) -> Tensor:
    """Bilinear weight of each of the 3×3 tokens around at every pixel of the middle one: (9, p²)."""
    offset = (torch.arange(patch_px, device=device) + 0.5) / patch_px - 0.5
    one = torch.stack([(1 - (offset - step).abs()).clamp(min=0) for step in (-1, 0, 1)])
    return (one[:, None, :, None] * one[None, :, None, :]).flatten(2).flatten(0, 1)


def _copy(
    moved: Tensor, index: TokenIndex, atlas: Tensor, guesses: TokenGuesses, patch_px: int
) -> tuple[Tensor, Tensor]:
    """Take pixels `moved` px beyond the row source: colours (N, p², K, 3) and trust (N, p², K) in 0..1."""
    x, y = index.pixel_centres(patch_px)
    side = torch.where(guesses.run < 0, -1.0, 1.0)
    reach = torch.ones(moved.shape[2], device=moved.device)
    reach[1] = 2.0  # the second source starts at the mirror image
    at_x = x[..., None] + guesses.run[..., None] * reach + side[..., None] * moved[..., 0]
    at_y = y[..., None] + moved[..., 1]
    frame = index.position[:, 0, None, None]
    seen, inside = sample_bilinear(atlas, frame.expand(at_x.shape), at_x, at_y)
    own = atlas.view(-1, atlas.shape[-1])[:, 4][(frame[..., 0] * atlas.shape[1] + y.long()) * atlas.shape[2] + x.long()]
    weight = seen[..., 3]
    nearer = (seen[..., 4] - own[..., None] - _SURFACE_SLACK_PX).clamp(min=0) / _SURFACE_SOFTNESS_PX
    trust = weight * torch.exp(-(nearer**2)) * inside
    colour = seen[..., :3] / weight.clamp(min=_LEAST_SHARE)[..., None]
    known = guesses.known.transpose(1, 2)[:, :, None]
    return torch.where((weight >= _LEAST_SHARE)[..., None], colour, known), trust


def _stacked(guesses: TokenGuesses) -> tuple[Tensor, Tensor]:
    """The simple candidates as colours (N, p², GUESSES, 3) and their trust (N, p², GUESSES)."""
    colours = torch.stack((guesses.copied, guesses.reflected, guesses.time, guesses.known), dim=1)
    hole = guesses.hole.float()
    # outside holes only the known pixel and the learned sources count
    # squared: a doubtful match in another frame must not win over the background beside the hole
    seen = guesses.confidence.square() * hole
    trust = torch.stack((hole, hole, seen, torch.ones_like(hole)), dim=2)
    return colours.permute(0, 3, 1, 2), trust
