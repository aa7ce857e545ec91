"""Everything the network is told about a window: the masked view and the candidates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import torch
import torch.nn.functional as F
from torch import Tensor

from model.sasi.alignment import background_from_time
from model.sasi.box import box_sum
from model.sasi.candidates import mirrored, push_pull, relief, row_source, take_columns
from model.sasi.tokens import TokenIndex, gather_patches, grow, runs

FEATURE_CHANNELS = 14
"""Maps that the network reads; the noisy latent's three come on top."""
_HEIGHT_UNIT_PX = 16.0
_RUN_UNIT_PX = 32.0
_LAST_RESORT = 1e-6
"""Weight of pixels that are no background: they count only where there is no background at all."""


@dataclass(frozen=True)
class FrameMaps:
    """What one frame tells about itself; maps (F, C, H, W), colours in the normalised range 0..1.

    known       3  the view; holes hold the background's push-pull
    hole        1  bool
    foreground  1  bool, near surfaces and the rim of holes: never copied from
    height      1  px of disparity over the background around, 0 in holes
    column      1  int32, row source: where in its row a pixel's background continues
    atlas       (F, H, W, 8)  colour × background, background 0 or 1, disparity (in holes that of the background),
                detail × background: colour over the mean of the background around
    """

    known: Tensor
    hole: Tensor
    foreground: Tensor
    height: Tensor
    column: Tensor
    atlas: Tensor


@dataclass(frozen=True)
class Conditions(FrameMaps):
    """Maps of one or more windows; the last two come from other frames of the window.

    time        3  background seen in other frames, where there is any
    confidence  1  of `time`, 0..1
    """

    time: Tensor
    confidence: Tensor

    def frame(self, number: int) -> Conditions:
        """Those of one frame."""
        return Conditions(*(getattr(self, field.name)[number : number + 1] for field in fields(self)))

    def parts(self, kept: TokenIndex, at_once: int) -> Iterator[Part]:
        """Divide kept tokens into parts of at most `at_once`."""
        for rows in runs(len(kept), at_once):
            yield Part(rows, kept.subset(rows), self)


@dataclass(frozen=True)
class Part:
    """Tokens that are computed together: their rows in the list of all, their index, and what tells about them."""

    rows: slice
    index: TokenIndex
    conditions: Conditions


@dataclass(frozen=True)
class TokenGuesses:
    """Candidates at the pixels of N tokens: colours (N, 3, p²), run (N, p²) in px to the row source, > 0 = right."""

    known: Tensor
    copied: Tensor
    reflected: Tensor
    time: Tensor
    confidence: Tensor  # (N, p²)
    hole: Tensor  # (N, p²) bool
    run: Tensor


def prepare_conditions(view: Tensor, hole: Tensor, disparity: Tensor, window_length: int) -> Conditions:
    """Compute the maps of windows laid one after the other.

    view       (F, 3, H, W) float32, about 0..1; what it holds in holes counts only in a frame that is all hole
    hole       (F, 1, H, W) bool
    disparity  (F, 1, H, W) float32, px at this width
    H and W must be multiples of 16.
    """
    maps: dict[str, Tensor] = {}
    # frame by frame, written in place: temporaries stay small and nothing exists twice
    for number, one in enumerate(zip(view.split(1), hole.split(1), disparity.split(1), strict=True)):
        frame = frame_maps(*one)
        for name in (field.name for field in fields(FrameMaps)):
            value = getattr(frame, name)
            maps.setdefault(name, value.new_empty((len(view), *value.shape[1:])))[number] = value[0]
    guess = background_from_time(view, maps["atlas"], hole, window_length)
    return Conditions(**maps, time=guess.colour, confidence=guess.confidence)


def frame_maps(view: Tensor, hole: Tensor, disparity: Tensor) -> FrameMaps:
    """Compute what frames tell about themselves; arguments as in `prepare_conditions`."""
    height, fraction = relief(disparity, hole)
    background = (fraction < 0.5) & ~grow(hole)  # a hole's rim holds mixed pixels
    column = row_source(background)
    filled = push_pull(view, background.float().clamp(min=_LAST_RESORT))
    disparity = torch.where(hole, take_columns(disparity, column), disparity)
    return FrameMaps(
        known=torch.where(hole, filled, view),
        hole=hole,
        foreground=~background & ~hole,
        height=height * ~hole,
        column=column.int(),
        atlas=torch.cat((view * background, background, disparity, _detail(view, background)), dim=1)
        .permute(0, 2, 3, 1)
        .contiguous(),
    )


def _detail(view: Tensor, background: Tensor) -> Tensor:
    """Colour minus its mean over the background within a window, 0 where there is no background: (F, 3, H, W)."""
    weight = background.float()
    sums = box_sum(torch.cat((view * weight, weight), dim=1))
    return (view - sums[:, :3] / sums[:, 3:].clamp(min=1)) * weight


def row_fill(conditions: Conditions) -> Tensor:
    """What shift fills do: repeat the background's last pixel along the row. (F, 3, H, W), outside holes the view."""
    copied = take_columns(conditions.atlas.movedim(3, 1)[:, :4], conditions.column.long())
    return torch.where(conditions.hole & (copied[:, 3:] > 0), copied[:, :3], conditions.known)


def token_guesses(conditions: Conditions, index: TokenIndex, patch_px: int) -> TokenGuesses:
    """Evaluate the candidates at the pixels of the kept tokens only; outside holes they are the view."""
    known = gather_patches(conditions.known, index, patch_px)
    hole = gather_patches(conditions.hole, index, patch_px)[:, 0]
    column = gather_patches(conditions.column, index, patch_px)[:, 0].long()
    confidence = gather_patches(conditions.confidence, index, patch_px)[:, 0]
    time = gather_patches(conditions.time, index, patch_px)
    x, y = index.pixel_centres(patch_px)
    _, height, width, channels = conditions.atlas.shape
    row = (index.position[:, :1] * height + y.long()) * width

    def take(column: Tensor) -> Tensor:
        seen = F.embedding(row + column, conditions.atlas.view(-1, channels)).movedim(2, 1)
        return torch.where(hole[:, None] & (seen[:, 3:4] > 0), seen[:, :3], known)

    return TokenGuesses(
        known=known,
        copied=take(column),
        reflected=take(mirrored(column, x.long(), width)),
        time=torch.where((hole & (confidence > 1e-3))[:, None], time, known),
        confidence=confidence,
        hole=hole,
        run=(column - x) * hole,
    )


def token_features(conditions: Conditions, guesses: TokenGuesses, index: TokenIndex, patch_px: int) -> Tensor:
    """What the network reads of N tokens: (N, FEATURE_CHANNELS · p²)."""
    foreground = gather_patches(conditions.foreground, index, patch_px)
    height = gather_patches(conditions.height, index, patch_px)
    features = (
        guesses.known - 0.5,
        guesses.copied - guesses.known,
        guesses.time - guesses.known,
        guesses.confidence[:, None],
        guesses.hole[:, None].float(),
        foreground.float(),
        (height / _HEIGHT_UNIT_PX).clamp(max=4),
        (guesses.run / _RUN_UNIT_PX).clamp(-4, 4)[:, None],
    )
    return torch.cat(features, dim=1).flatten(1)
