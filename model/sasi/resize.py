"""The size that the fill is computed at: smaller than the frame, and padded to whole tokens."""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

GRID_PX = 16
"""Sides are padded to multiples of this: tokens are 8 px, alignment starts at 1/16."""


@dataclass(frozen=True)
class FillSize:
    """Sizes in px: the frame's, and the fill's before padding."""

    frame: tuple[int, int]
    fill: tuple[int, int]

    @staticmethod
    def within(height: int, width: int, max_width: int) -> FillSize:
        """Limit the width, keeping the aspect."""
        if width <= max_width:
            return FillSize((height, width), (height, width))
        return FillSize((height, width), (max(1, round(height * max_width / width)), max_width))

    @property
    def reduced(self) -> bool:
        """Tell whether the fill is smaller than the frame."""
        return self.frame != self.fill

    @property
    def keeps_all(self) -> bool:
        """Tell whether the fill is computed on the frame as it is: neither smaller nor padded."""
        return not (self.reduced or any(self._padding))

    @property
    def _padding(self) -> tuple[int, int]:
        """Right and below, in px."""
        return -self.fill[1] % GRID_PX, -self.fill[0] % GRID_PX

    def reduce(self, view: Tensor, hole: Tensor, disparity: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Shrink and pad: colours by the mean of known pixels, holes by any, disparity in the new px.

        view (T, C, H, W)     hole (T, 1, H, W) bool     disparity (T, 1, H, W) px
        Padding repeats the border, holes too: else what a hole shows would pass for background beside it.
        """
        if self.reduced:
            known = (~hole).float()
            share = F.adaptive_avg_pool2d(known, self.fill)
            view = F.adaptive_avg_pool2d(view * known, self.fill) / share.clamp(min=1e-6)
            scale = self.fill[1] / self.frame[1]
            disparity = F.adaptive_avg_pool2d(disparity * known, self.fill) / share.clamp(min=1e-6) * scale
            hole = F.adaptive_max_pool2d(hole.float(), self.fill) > 0
        right, below = self._padding
        if not (right or below):
            return view, hole, disparity
        border = (0, right, 0, below)
        view, disparity = (F.pad(x, border, mode="replicate") for x in (view, disparity))
        return view, F.pad(hole.float(), border, mode="replicate") > 0, disparity

    def enlarge(self, fill: Tensor) -> Tensor:
        """Cut the padding off and bring the fill to the frame's size; (T, C, h, w) in, (T, C, H, W) out."""
        fill = fill[..., : self.fill[0], : self.fill[1]]
        if not self.reduced:
            return fill
        return F.interpolate(fill, self.frame, mode="bilinear", align_corners=False)
