"""Which pixels the fill is asked for: true holes, grown as the artist wishes, without seams of torn surfaces."""

from __future__ import annotations

import torch

from model.max_filter import max_filter, run_maximum

SEAM_PX = 6.0
"""At 1920 wide: a narrower gap is a surface that estimated depth tore, and what GAPW shows there is its own colour.

Filled, it would show the background through the surface: dots along soft edges. Chosen by eye on two frames of one
clip with Draft depth (Big Buck Bunny); on Motorcycle, with exact depth, the filled pixels lose 0.01 dB.
"""


def fill_mask(disocclusion: torch.Tensor, seam_px: float, grow_px: float) -> torch.Tensor:
    """Drop seams from the mask of the warp, then dilate what remains.

    disocclusion  (T, 1, H, W) bool
    seam_px       runs narrower than this stay as GAPW shows them, unless they touch a wide one; rounded to whole px
    grow_px       radius of the square dilation; rounded to whole px
    returns       (T, 1, H, W) bool
    """
    holes = _without_seams(disocclusion, min(round(seam_px), disocclusion.shape[-1]))
    radius = round(grow_px)
    return holes if radius < 1 else max_filter(holes, radius)


def _without_seams(mask: torch.Tensor, width_px: int) -> torch.Tensor:
    """Open each row by `width_px`, then take back what lies beside: the ragged ends of a real hole."""
    if width_px < 2:
        return mask
    starts = ~run_maximum(~mask, 0, width_px - 1, -1)  # a run of this width begins here
    starts[..., mask.shape[-1] - width_px + 1 :] = False  # and ends inside the frame
    opened = run_maximum(starts, width_px - 1, 0, -1)
    return mask & max_filter(opened, 1)
