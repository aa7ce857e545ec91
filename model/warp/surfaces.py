"""Which source pixels form one surface along a row, and where those surfaces land (torch form of DESIGN.md §5)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

FOLD_PX = 1.0
"""A disparity that rises this much from one pixel to the next folds the map (dx'/dx <= 0): an edge hides something."""


@dataclass(frozen=True)
class Surfaces:
    """Runs of pixels without a cut between them. All tensors are (T, H, W); columns index the source row.

    disparity          float32, px
    step               float32, px: disparity of the next pixel minus this one; 0 in the last column
    first, last        int64: first and last pixel of the run that the pixel belongs to
    left, right        float32, px: where the run's edges lie, measured from its first and last pixel's centre
    hidden             bool: a single pixel between two stretched segments: part of a soft edge, not a surface
    """

    disparity: Tensor
    step: Tensor
    first: Tensor
    last: Tensor
    left: Tensor
    right: Tensor
    hidden: Tensor


def find_cuts(disparity: Tensor, threshold: float) -> tuple[Tensor, Tensor]:
    """Find the segments between neighbours where the surface tears (stretched, eq. 7) or folds.

    disparity  (..., W) float32, px
    returns    stretched, folded: (..., W-1) bool
    """
    step = disparity[..., 1:] - disparity[..., :-1]
    return 1 - step > threshold, step >= FOLD_PX


def find_surfaces(disparity: Tensor, threshold: float, edge: Tensor) -> Surfaces:
    """Cut every row into surfaces.

    disparity  (T, H, W) float32, px, finite
    edge       (T, H, W-1) float32, px: position of the edge measured from the middle between two neighbours,
               -0.5..0.5, used where there is a cut
    """
    width = disparity.shape[-1]
    column = torch.arange(width, device=disparity.device).expand(disparity.shape)
    stretched, folded = find_cuts(disparity, threshold)
    border = torch.ones_like(disparity[..., :1], dtype=torch.bool)
    starts = torch.cat([border, stretched | folded], -1)
    ends = torch.cat([stretched | folded, border], -1)
    first = torch.where(starts, column, 0).cummax(-1).values
    last = torch.where(ends, column, width - 1).flip(-1).cummin(-1).values.flip(-1)
    half = torch.full_like(disparity[..., :1], 0.5)
    no = ~border
    return Surfaces(
        disparity=disparity,
        step=torch.diff(disparity, append=disparity[..., -1:]),
        first=first,
        last=last,
        left=torch.cat([-half, edge - 0.5], -1).gather(-1, first),
        right=torch.cat([edge + 0.5, half], -1).gather(-1, last),
        hidden=torch.cat([no, stretched], -1) & torch.cat([stretched, no], -1),
    )


def nearest_surface(surfaces: Surfaces, threshold: float, margin_px: float, behind: Tensor | None = None) -> Tensor:
    """For every target column find the nearest surface that reaches it, by the source pixel that lands there.

    margin_px  0: the surface must cover the column's centre; 0.5: it must touch the column's pixel
    behind     (T, H, W) int64: for each target column, a pixel whose surface is left out
    returns    (T, H, W) int64: source pixel at or left of the sample (its run's end pixels at the run's edges);
               -1 where no surface reaches

    Of the pixels that land on one column the one of largest disparity is the one of largest source column, so a
    maximum of the source column is the depth test.
    """
    width = surfaces.disparity.shape[-1]
    pixel = torch.arange(width, device=surfaces.disparity.device).expand(surfaces.disparity.shape)
    begin, end = _landing(surfaces, pixel, margin_px)
    nearest = torch.full_like(pixel, -1)
    # A segment is at most `threshold` wide; a run's end adds up to an edge's shift and the margin on either side.
    for offset in range(int(max(threshold + 1 + margin_px, 2 + 2 * margin_px)) + 1):
        target = begin + offset
        lands = (target < end) & (target >= 0) & (target < width)
        target = target.clamp(0, width - 1)
        if behind is not None:
            front = behind.gather(-1, target)
            lands &= surfaces.first != surfaces.first.gather(-1, front.clamp_min(0))
        nearest.scatter_reduce_(-1, target, torch.where(lands, pixel, -1), "amax")
    return nearest


def _landing(surfaces: Surfaces, pixel: Tensor, margin_px: float) -> tuple[Tensor, Tensor]:
    """Target columns [begin, end) that each pixel is responsible for: up to the next pixel, or to its run's edge."""
    width = pixel.shape[-1]
    shift = surfaces.disparity

    def column(offset: Tensor) -> Tensor:
        # Far outside the frame is outside however far: keeps huge disparities inside the integers.
        return pixel + offset.clamp(-2.0 * width - 8, 2.0 * width + 8).to(torch.int64)

    inside_begin = column(-shift.floor())
    inside_end = column(1 - (shift + surfaces.step).floor())
    if margin_px > 0:
        edge_begin = column((surfaces.left - shift - margin_px).floor() + 1)
    else:
        edge_begin = column((surfaces.left - shift).ceil())
    edge_end = column((surfaces.right - shift + margin_px).ceil())
    begin = torch.where(pixel == surfaces.first, edge_begin, inside_begin)
    end = torch.where(pixel == surfaces.last, edge_end, inside_end)
    return begin, torch.where(surfaces.hidden, begin, end)
