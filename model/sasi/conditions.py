"""Everything the network is told about a window: the masked view and the candidates, as maps and as tokens."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from model.sasi.alignment import background_from_time
from model.sasi.candidates import mirrored, push_pull, relief, row_source, take_columns
from model.sasi.tokens import TokenIndex, gather_patches

FEATURE_CHANNELS = 14
"""Maps in `Conditions.features`; the noisy latent's three come on top."""
_HEIGHT_UNIT_PX = 16.0
_RUN_UNIT_PX = 32.0
_LAST_RESORT = 1e-6
"""Weight of pixels that are no background: they count only where there is no background at all."""


@dataclass(frozen=True)
class Conditions:
    """Maps (F, C, H, W) of one or more windows; colours in the normalised range 0..1.

    known       3  the view; holes hold the background's push-pull
    guesses     9  row copy, mirror, other frames: three colours each
    confidence  1  of the other frames' guess
    hole        1  bool
    features   14  what the network reads (besides noise)
    run         1  px to the row source, > 0 = it lies to the right
    atlas       5  colour × background, background, disparity: where the copy head takes pixels from
    """

    known: Tensor
    guesses: Tensor
    confidence: Tensor
    hole: Tensor
    features: Tensor
    run: Tensor
    atlas: Tensor

    def patches(self, index: TokenIndex, patch_px: int) -> Tensor:
        """Features of the kept tokens: (N, FEATURE_CHANNELS · p²)."""
        return gather_patches(self.features, index, patch_px).flatten(1)

    def latent(self, index: TokenIndex, patch_px: int) -> Tensor:
        """z_m, the masked view's latent: patches of the known pixels in −1..1, (N, 3 · p²)."""
        return gather_patches(self.known, index, patch_px).flatten(1) * 2 - 1


def prepare_conditions(view: Tensor, hole: Tensor, disparity: Tensor, window_length: int) -> Conditions:
    """Compute the candidates of windows laid one after the other.

    view       (F, 3, H, W) float32, about 0..1; what it holds in holes counts only in a frame that is all hole
    hole       (F, 1, H, W) bool
    disparity  (F, 1, H, W) float32, px at this width
    H and W must be multiples of 16.
    """
    height, fraction = relief(disparity, hole)
    background = (fraction < 0.5) & ~_grown(hole)  # a hole's rim holds mixed pixels
    column = row_source(background)
    own = torch.arange(view.shape[-1], device=view.device)
    run = (column - own).float() * hole
    disparity = torch.where(hole, take_columns(disparity, column), disparity)
    filled = push_pull(view, background.float().clamp(min=_LAST_RESORT))
    known = torch.where(hole, filled, view)
    behind = mirrored(column)
    reflected = torch.where(take_columns(background, behind), take_columns(view, behind), filled)
    time = background_from_time(view, background, disparity, hole, window_length)
    copied = torch.where(take_columns(background, column), take_columns(view, column), filled)
    guesses = [torch.where(hole, guess, view) for guess in (copied, reflected)]
    guesses.append(torch.where(hole & (time.confidence > 1e-3), time.colour, known))
    features = torch.cat(
        (
            known - 0.5,
            guesses[0] - known,
            guesses[2] - known,
            time.confidence,
            hole.float(),
            (~background & ~hole).float(),
            (height / _HEIGHT_UNIT_PX).clamp(max=4) * ~hole,
            (run / _RUN_UNIT_PX).clamp(-4, 4),
        ),
        dim=1,
    )
    atlas = torch.cat((view * background, background, disparity), dim=1)
    return Conditions(known, torch.cat(guesses, dim=1), time.confidence, hole, features, run, atlas)


def _grown(hole: Tensor) -> Tensor:
    return torch.nn.functional.max_pool2d(hole.float(), 3, stride=1, padding=1) > 0
