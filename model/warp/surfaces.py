"""Which source pixels form one surface along a row, and where those surfaces land (torch form of DESIGN.md §5)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

FOLD_PX = 0.5
"""A disparity that rises this much from one pixel to the next folds the map (dx'/dx <= 0): an edge hides something."""

EDGE_REACH = 4
"""Columns between the cuts of one edge in two rows, at most; flatter edges are not followed from row to row."""

HALF_ROW = 0.25
"""Heights, in rows from a row's middle, at which its edges are followed: one for each half of the row."""


@dataclass(frozen=True)
class Surfaces:
    """Runs of pixels without a cut between them. All tensors but `cut` are (T, H, W); columns index the source row.

    disparity          float32, px
    step               float32, px: disparity of the next pixel minus this one; 0 in the last column
    cut                (T, H, W-1) bool: between a pixel and the next the surface tears or folds
    first, last        int64: first and last pixel of the run that the pixel belongs to
    left, right        float32, px: where that run's edges lie, from the centres of its first and last pixel
    left_slope, right_slope  float32, px: how much further right they lie in the row below
    hidden             bool: a single pixel between two tears: part of a soft edge, not a surface
    """

    disparity: Tensor
    step: Tensor
    cut: Tensor
    first: Tensor
    last: Tensor
    left: Tensor
    right: Tensor
    left_slope: Tensor
    right_slope: Tensor
    hidden: Tensor

    def with_edges(self, edge: Tensor, slope: Tensor) -> Surfaces:
        """Move the edges at cuts.

        edge   (T, H, W-1) float32, px, from the middle between two pixels, -0.5..0.5
        slope  (T, H, W-1) float32, px: what `edge` is more in the row below
        """
        half = torch.full_like(self.disparity[..., :1], 0.5)
        return replace(
            self,
            left=torch.cat([-half, edge - 0.5], -1).gather(-1, self.first),
            right=torch.cat([edge + 0.5, half], -1).gather(-1, self.last),
            left_slope=torch.cat([0 * half, slope], -1).gather(-1, self.first),
            right_slope=torch.cat([slope, 0 * half], -1).gather(-1, self.last),
        )


def find_surfaces(disparity: Tensor, threshold: float) -> Surfaces:
    """Cut every row into surfaces, with their edges in the middle between pixels.

    disparity  (T, H, W) float32, px, finite
    threshold  stretch dx'/dx above which a segment is torn (eq. 7)
    """
    width = disparity.shape[-1]
    column = torch.arange(width, device=disparity.device).expand(disparity.shape)
    step = torch.diff(disparity, append=disparity[..., -1:])
    torn = 1 - step[..., :-1] > threshold
    cut = torn | (step[..., :-1] >= FOLD_PX)
    border = torch.ones_like(disparity[..., :1], dtype=torch.bool)
    half = torch.full_like(disparity, 0.5)
    return Surfaces(
        disparity=disparity,
        step=step,
        cut=cut,
        first=torch.where(torch.cat([border, cut], -1), column, 0).cummax(-1).values,
        last=torch.where(torch.cat([cut, border], -1), column, width - 1).flip(-1).cummin(-1).values.flip(-1),
        left=-half,
        right=half,
        left_slope=torch.zeros_like(half),
        right_slope=torch.zeros_like(half),
        hidden=torch.cat([~border, torn], -1) & torch.cat([torn, ~border], -1),
    )


def nearest_surface(surfaces: Surfaces, threshold: float, margin_px: float, behind: Tensor | None = None) -> Tensor:
    """For every target column find the nearest surface that reaches it, by the source pixel that lands there.

    margin_px  0: the surface must cover the column's centre; 0.5: it must touch the column's pixel at any height
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
    # A segment is at most `threshold` wide; a run reaches beyond its end pixels by up to a pixel, turn and margin.
    side = 1 + margin_px + (HALF_ROW * EDGE_REACH if margin_px > 0 else 0)
    for offset in range(int(side + max(side, threshold)) + 2):
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
    left, right = surfaces.left - shift, surfaces.right - shift
    if margin_px > 0:
        left, right = left - HALF_ROW * surfaces.left_slope.abs(), right + HALF_ROW * surfaces.right_slope.abs()
        edge_begin = column((left - margin_px).floor() + 1)
    else:
        edge_begin = column(left.ceil())
    edge_end = column((right + margin_px).ceil())
    begin = torch.where(pixel == surfaces.first, edge_begin, inside_begin)
    end = torch.where(pixel == surfaces.last, edge_end, inside_end)
    return begin, torch.where(surfaces.hidden, begin, end)
