"""The one entry point of the warp: checks its input, prepares the disparity, picks the kernel of the device."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from model.errors import InvalidInputError, ShapeError
from model.warp.kernels import kernel_for, kernel_name, snap_for
from model.warp.prepare import fill_unknown

__all__ = ["DEFAULT_THRESHOLD", "Warp", "gapw", "kernel_name"]

DEFAULT_THRESHOLD = 1.5
"""Tuned gradient threshold δ of eq. 7: a surface stretched further than this is two surfaces."""


@dataclass(frozen=True)
class Warp:
    """The new view of a sequence.

    view           (T, C, H, W) float32: the image in the new view; disoccluded pixels continue the background
    disocclusion   (T, 1, H, W) bool: True where the image has no source for this pixel
    disparity      (T, 1, H, W) float32, px: disparity of what `view` shows
    """

    view: Tensor
    disocclusion: Tensor
    disparity: Tensor


def gapw(image: Tensor, disparity: Tensor, threshold: float | None = None, edge_fix_px: float = 0.0) -> Warp:
    """Warp `image` into the other eye; nearer surfaces win.

    image        (T, C, H, W)  float32 (others are converted), any finite range, C >= 1; alpha moves with its pixels
    disparity    (T, 1, H, W)  float32, px, x_right = x_left - disparity, > 0 is nearer than the screen;
                               NaN is unknown and takes the farther of the nearest known values in its row, then
                               column; a frame without any known value has disparity 0
    threshold    stretch dx'/dx above which columns are disoccluded (eq. 7), > 1; None is the tuned default
    edge_fix_px  >= 0: soft disparity edges about this wide are made hard, near regions grow by half of what exceeds 2;
                 0 leaves the disparity alone
    returns      Warp, float32 on the device of `image`

    Raises ShapeError when the sizes do not fit; InvalidInputError for colour that is not finite, infinite disparity
    and settings out of range. GAPW, eq. 1-7 (arXiv 2604.12270), with the depth order of DESIGN.md §5.
    """
    delta = DEFAULT_THRESHOLD if threshold is None else float(threshold)
    _check_shapes(image, disparity)
    colour = image.detach()
    if colour.dtype != torch.float16:  # which the kernels read without a copy
        colour = colour.to(torch.float32)
    shift = disparity.detach().to(device=image.device, dtype=torch.float32)
    _check_settings(delta, edge_fix_px)
    if edge_fix_px > 0:
        shift = snap_for(shift.device)(fill_unknown(shift), edge_fix_px)
    view, disocclusion, new_disparity = kernel_for(colour.device)(colour, shift, delta)
    return Warp(view=view, disocclusion=disocclusion, disparity=new_disparity)


def _check_shapes(image: Tensor, disparity: Tensor) -> None:
    if image.ndim != 4 or min(image.shape) < 1:
        raise ShapeError(f"image must be (T, C, H, W) with no empty axis; got {tuple(image.shape)}")
    frames, _, height, width = image.shape
    if tuple(disparity.shape) != (frames, 1, height, width):
        raise ShapeError(
            f"disparity must be (T, 1, H, W) = {(frames, 1, height, width)} to match the image; "
            f"got {tuple(disparity.shape)}: resize the disparity and scale its values with the width"
        )
    if not image.is_floating_point():
        raise InvalidInputError(
            f"image must be floating point; got {image.dtype}: divide pixels by their largest value"
        )


def _check_settings(threshold: float, edge_fix_px: float) -> None:
    if not (math.isfinite(threshold) and threshold > 1):
        raise InvalidInputError(f"threshold must be a finite stretch above 1 (usually 1.05..4); got {threshold!r}")
    if not (math.isfinite(edge_fix_px) and edge_fix_px >= 0):
        raise InvalidInputError(f"edge_fix_px must be finite and >= 0 px; got {edge_fix_px!r}")
