"""From tokens to pixels by copying: every filled pixel is a weighted choice of real pixels, slightly corrected.

A head that writes pixels freely learns grey or a checkerboard; this one chooses places to copy from, weighs them
against the simple candidates, and may only correct the result by a bounded residual.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.sasi.alignment import sample_bilinear
from model.sasi.conditions import TokenGuesses, token_guesses
from model.sasi.config import SasiConfig
from model.sasi.rebuilt import AnyConditions
from model.sasi.tokens import TokenIndex

GUESSES = 4
"""Row copy, mirror, other frames, and the known pixel (push-pull inside holes)."""
_MIXED_AT_ONCE = 1024
"""Tokens whose pixels are mixed together: copying takes thousands of numbers per token."""
_START_PX = ((0.0, 0.0), (0.0, 0.0), (8.0, 0.0), (8.0, -12.0), (8.0, 12.0), (24.0, 0.0))
"""Where learned sources start, in px beyond the row source (x towards the background, y down)."""
_LEAST_SHARE = 0.02
"""Smallest share of background in a sample that still tells a colour; below it the known pixel stands in."""
_CONTRAST = 4.0
"""Colour differences are small numbers; the network reads them times this."""
_RUN_UNIT_PX = 32.0
_SURFACE_SLACK_PX = 1.0
_SURFACE_SOFTNESS_PX = 2.0


class CopyHead(nn.Module):
    """Displacements per token and weights per pixel, turned into colours of the tokens' pixels.

    A pixel's colour is a weighted mean of candidates, plus the fine detail of places that suit it, plus a bounded
    residual. The untrained head is push-pull with good matches from other frames.
    """

    def __init__(self, config: SasiConfig) -> None:
        super().__init__()
        self.config = config
        pixels, choices = config.patch_px**2, config.sources + GUESSES
        self.per_pixel = choices + config.sources + 1 + 3  # weights, shares of detail (the last: none), residual
        self.sizes = (2 * config.sources, config.pixel_width, pixels * self.per_pixel)
        self.out = nn.Linear(config.width, sum(self.sizes))
        self.read_pixel = nn.Linear(4 * choices - 3 + 1, config.pixel_width)
        self.judge = nn.Linear(config.pixel_width, self.per_pixel)
        nn.init.zeros_(self.out.bias)
        nn.init.normal_(self.out.weight, std=0.01)
        nn.init.zeros_(self.judge.weight)
        with torch.no_grad():
            self.out.weight[-self.sizes[-1] :] = 0
            self.judge.bias.copy_(_start_bias(config.sources))
            for source in range(config.sources):
                place = torch.tensor(_START_PX[source % len(_START_PX)])
                self.out.bias[2 * source : 2 * source + 2] = torch.atanh(place / config.reach_px)

    def forward(self, tokens: Tensor, index: TokenIndex, conditions: AnyConditions) -> Tensor:
        """Colour the pixels of tokens (N, D), copying from the atlas of `conditions`: (N, 3, p²), about 0..1."""
        config = self.config
        for_neighbours = sum(self.sizes[:2])
        places, context = self._read(tokens, slice(0, for_neighbours)).split(self.sizes[:2], dim=1)
        smooth = torch.cat((torch.tanh(places) * config.reach_px, context), dim=1)
        neighbours = _neighbours(index)
        mixed = []
        for part in conditions.parts(index, _MIXED_AT_ONCE):
            between = _between_tokens(smooth, neighbours[part.rows], config.patch_px)  # (n, p², 2 K + pixel width)
            judged = self._read(tokens[part.rows], slice(for_neighbours, None)).unflatten(1, (config.patch_px**2, -1))
            guesses = token_guesses(part.conditions, part.index, config.patch_px)
            mixed.append(self._mix(between, judged, part.index, part.conditions.atlas, guesses))
        return torch.cat(mixed)

    def _read(self, tokens: Tensor, rows: slice) -> Tensor:
        """Some rows of `out`: what its neighbours need of every token is little, what its own pixels need is much."""
        return F.linear(tokens, self.out.weight[rows], self.out.bias[rows]).float()

    def _mix(self, between: Tensor, judged: Tensor, index: TokenIndex, atlas: Tensor, guesses: TokenGuesses) -> Tensor:
        """Weigh copied pixels and guesses, then add detail and residual: (N, 3, p²)."""
        config = self.config
        places, context = between.split((2 * config.sources, config.pixel_width), dim=2)
        copied, detail, trust = _copy(places.unflatten(2, (config.sources, 2)), index, atlas, guesses, config.patch_px)
        guessed, guess_trust = _stacked(guesses)
        colours = torch.cat((copied, guessed), dim=2)  # (N, p², K + GUESSES, 3)
        trusts = torch.cat((trust, guess_trust), dim=2)
        relative = (colours[:, :, :-1] - colours[:, :, -1:]).flatten(2)
        seen = torch.cat((relative * _CONTRAST, trusts, (guesses.run / _RUN_UNIT_PX).clamp(-4, 4)[..., None]), dim=2)
        judged = judged + self.judge(F.gelu(self.read_pixel(seen) + context))
        logits, shares, residual = judged.split((trusts.shape[2], config.sources + 1, 3), dim=2)
        weights = (logits + torch.log(trusts + 1e-4)).softmax(dim=2)
        mixed = (weights[..., None] * colours).sum(dim=2)
        shares = (shares + torch.log(F.pad(trust, (0, 1), value=1.0) + 1e-4)).softmax(dim=2)[..., :-1]
        mixed = mixed + (shares[..., None] * detail).sum(dim=2) * guesses.hole[..., None]
        return (mixed + config.residual * torch.tanh(residual)).transpose(1, 2)


def _start_bias(sources: int) -> Tensor:
    """Begin with push-pull, other frames where they are sure, and little detail."""
    weights = torch.zeros(sources + GUESSES)
    weights[-1], weights[-2] = 3.0, 4.0
    shares = torch.zeros(sources + 1)
    shares[-1] = 3.0
    return torch.cat((weights, shares, torch.zeros(3)))


def _neighbours(index: TokenIndex) -> Tensor:
    """Rows of the 3×3 tokens around each token: (N, 9) int64, −1 where one was not kept or lies outside."""
    table, (_, h, w) = index.lookup(), index.grid
    step = torch.arange(-1, 2, device=table.device)
    t, y, x = index.position.unbind(1)
    ny = (y[:, None, None] + step[:, None]).expand(-1, 3, 3)
    nx = (x[:, None, None] + step).expand(-1, 3, 3)
    inside = (ny >= 0) & (ny < h) & (nx >= 0) & (nx < w)
    place = (t[:, None, None] * h + ny.clamp(0, h - 1)) * w + nx.clamp(0, w - 1)
    return table[place].where(inside, -1).flatten(1)


def _between_tokens(values: Tensor, neighbours: Tensor, patch_px: int) -> Tensor:
    """Interpolate values per token to pixels over the 3×3 tokens around, so that no seam shows between tokens.

    values (M, C) of all tokens     neighbours (N, 9) as in `_neighbours`
    returns (N, p², C); neighbours that were not kept are left out of the mean
    """
    share = (neighbours >= 0).float()[:, None] * _tent(patch_px, values.device).T  # (N, p², 9)
    share = share / share.sum(dim=2, keepdim=True)
    around = F.embedding(neighbours.clamp(min=0), values)  # (N, 9, C)
    return share @ around


def _tent(patch_px: int, device: torch.device) -> Tensor:
    """Bilinear weight of each of the 3×3 tokens around at every pixel of the middle one: (9, p²)."""
    offset = (torch.arange(patch_px, device=device) + 0.5) / patch_px - 0.5
    one = torch.stack([(1 - (offset - step).abs()).clamp(min=0) for step in (-1, 0, 1)])
    return (one[:, None, :, None] * one[None, :, None, :]).flatten(2).flatten(0, 1)


def _copy(
    moved: Tensor, index: TokenIndex, atlas: Tensor, guesses: TokenGuesses, patch_px: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Take pixels `moved` px beyond the row source: colours and detail (N, p², K, 3), trust (N, p², K) in 0..1."""
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
    return torch.where((weight >= _LEAST_SHARE)[..., None], colour, known), seen[..., 5:], trust


def _stacked(guesses: TokenGuesses) -> tuple[Tensor, Tensor]:
    """The simple candidates as colours (N, p², GUESSES, 3) and their trust (N, p², GUESSES)."""
    colours = torch.stack((guesses.copied, guesses.reflected, guesses.time, guesses.known), dim=1)
    hole = guesses.hole.float()
    # outside holes only the known pixel and the learned sources count
    # squared: a doubtful match in another frame must not win over the background beside the hole
    seen = guesses.confidence.square() * hole
    trust = torch.stack((hole, hole, seen, torch.ones_like(hole)), dim=2)
    return colours.permute(0, 3, 1, 2), trust
