"""Conditions for little memory: the maps of a frame are built again each time they are needed, never kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

import torch
from torch import Tensor

from model.sasi.alignment import Seen, find_motions, pyramid
from model.sasi.conditions import Conditions, FrameMaps, Part, frame_maps
from model.sasi.tokens import TokenIndex, runs


class RebuiltConditions:
    """Says of one window what `Conditions` says, the same but for rounding, for seven times the work of building them.

    It holds the window itself and, of the pixels in holes, what other frames show there.
    """

    def __init__(self, view: Tensor, hole: Tensor, disparity: Tensor) -> None:
        """Arguments as in `prepare_conditions`, of a single window."""
        self._view, self._hole, self._disparity = view, hole, disparity
        levels, own = [], []
        for number in range(len(view)):
            atlas = self._maps(number).atlas
            levels.append(pyramid(view[number : number + 1], atlas[..., 3:4].movedim(3, 1)))
            own.append(atlas[..., 4][hole[number]])
        motions = find_motions([_joined(scale) for scale in zip(*levels, strict=True)], len(view))
        self._seen = Seen(hole, torch.cat(own))
        for number in range(len(view)):
            atlas = self._maps(number).atlas
            for offset, motion in motions.items():
                self._seen.look(atlas, number, offset, motion)

    def frame(self, number: int) -> Conditions:
        """Those of one frame."""
        maps, guess = self._maps(number), self._seen.guess(number, 1)
        own = {field.name: getattr(maps, field.name) for field in fields(maps)}
        return Conditions(**own, time=guess.colour, confidence=guess.confidence)

    def parts(self, kept: TokenIndex, at_once: int) -> Iterator[Part]:
        """Divide kept tokens into parts of at most `at_once`, none of more than one frame."""
        for number in range(len(self._view)):
            rows, index = kept.frame(number)
            if not len(index):
                continue
            conditions = self.frame(number)
            for run in runs(len(index), at_once):
                yield Part(slice(rows.start + run.start, rows.start + run.stop), index.subset(run), conditions)

    def _maps(self, number: int) -> FrameMaps:
        one = slice(number, number + 1)
        return frame_maps(self._view[one], self._hole[one], self._disparity[one])


AnyConditions = Conditions | RebuiltConditions


def _joined(of_frames: tuple[tuple[Tensor, Tensor], ...]) -> tuple[Tensor, Tensor]:
    brightness, weight = zip(*of_frames, strict=True)
    return torch.cat(brightness), torch.cat(weight)
