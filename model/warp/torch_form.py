"""The warp in whole-tensor torch operations: CPU fallback and CUDA form of `reference.py`."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from model.errors import InvalidInputError
from model.warp.edges import gather_colour, refine_edges
from model.warp.prepare import NOT_FINITE, all_finite, fill_unknown
from model.warp.surfaces import HALF_ROW, Surfaces, find_surfaces, nearest_surface

MIRROR_SPEED = 0.5
"""Source pixels per target pixel under the mask. On Motorcycle 0.3 dB better than repeating the last pixel."""


@dataclass(frozen=True)
class Samples:
    """What one surface shows in each target column. All (T, H, W); values are meaningless where `pixel` is -1.

    pixel        int64: source pixel at or left of the sample; -1 where there is none
    fraction     float32 0..1: of the way to the next pixel
    disparity    float32, px
    left, right  float32, px: where the surface's edges lie, from the target pixel's centre
    left_slope, right_slope  float32, px: how much further right they lie in the row below
    """

    pixel: Tensor
    fraction: Tensor
    disparity: Tensor
    left: Tensor
    right: Tensor
    left_slope: Tensor
    right_slope: Tensor

    def covered(self, height: float) -> Covered:
        """The part of each target pixel that the surface covers at a height of the row."""
        left, right = (self.left + height * self.left_slope), (self.right + height * self.right_slope)
        return Covered(left.clamp(-0.5, 0.5), right.clamp(-0.5, 0.5), self.pixel >= 0)


@dataclass(frozen=True)
class Covered:
    """Covered parts of target pixels, from left to right -0.5..0.5 about their centres where `known`."""

    left: Tensor
    right: Tensor
    known: Tensor

    @property
    def part(self) -> Tensor:
        """Covered part of the target pixel, 0..1."""
        return torch.where(self.known, (self.right - self.left).clamp_min(0), 0)

    def overlap(self, other: Covered) -> Tensor:
        """Part of the target pixel that both cover."""
        both = (torch.minimum(self.right, other.right) - torch.maximum(self.left, other.left)).clamp_min(0)
        return torch.where(self.part > 0, both, 0)


@dataclass(frozen=True)
class Background:
    """What continues under the mask. All (T, H, W): source pixel int64, fraction float32 0..1, disparity in px."""

    pixel: Tensor
    fraction: Tensor
    disparity: Tensor


def warp_frames(image: Tensor, disparity: Tensor, threshold: float) -> tuple[Tensor, Tensor, Tensor]:
    """Warp frames whose input is already checked.

    image      (T, C, H, W) float32 or float16
    disparity  (T, 1, H, W) float32, px; NaN is unknown
    returns    view (T, C, H, W) float32, disocclusion (T, 1, H, W) bool, disparity (T, 1, H, W) float32

    Raises InvalidInputError for colour that is not finite and infinite disparity.
    """
    if not all_finite(image):
        raise InvalidInputError(NOT_FINITE)
    colour, surfaces = refine_edges(image.to(torch.float32), find_surfaces(fill_unknown(disparity)[:, 0], threshold))
    owner = nearest_surface(surfaces, threshold, 0.0)
    front_pixel = nearest_surface(surfaces, threshold, 0.5)
    second_pixel = nearest_surface(surfaces, threshold, 0.5, behind=front_pixel)
    second_pixel = _keep_owner(surfaces, owner, front_pixel, second_pixel)
    front, second = sample(surfaces, front_pixel), sample(surfaces, second_pixel)
    background = _continue_background(surfaces, owner)

    front_part, second_part = torch.zeros_like(front.left), torch.zeros_like(front.left)
    for height in (-HALF_ROW, HALF_ROW):
        ahead, beyond = front.covered(height), second.covered(height)
        front_part += 0.5 * ahead.part
        second_part += 0.5 * (beyond.part - ahead.overlap(beyond)).clamp_min(0)
    rest = (1 - front_part - second_part).clamp_min(0)
    view = _blend(
        (front_part, interpolate(colour, surfaces, front.pixel, front.fraction)),
        (second_part, interpolate(colour, surfaces, second.pixel, second.fraction)),
        (rest, interpolate(colour, surfaces, background.pixel, background.fraction)),
    )
    disoccluded = owner < 0
    new_disparity = torch.where(disoccluded, background.disparity, sample(surfaces, owner).disparity)
    return view, disoccluded[:, None], new_disparity[:, None]


def _keep_owner(surfaces: Surfaces, owner: Tensor, front: Tensor, second: Tensor) -> Tensor:
    """Take the surface at the pixel's centre as the second one when two slivers lie in front of it."""
    runs = [surfaces.first.gather(-1, pixel.clamp_min(0)) for pixel in (owner, front, second)]
    return torch.where((owner >= 0) & (runs[0] != runs[1]) & (runs[0] != runs[2]), owner, second)


def sample(surfaces: Surfaces, pixel: Tensor) -> Samples:
    """Invert the map (eq. 3) at every target column, given the source pixel that lands there.

    Positions are differences from the pixel's own column, so that they are as exact at column 16000 as at 0.
    """
    column = torch.arange(pixel.shape[-1], device=pixel.device)
    source = pixel.clamp_min(0)
    disparity, step = surfaces.disparity.gather(-1, source), surfaces.step.gather(-1, source)
    first, last = surfaces.first.gather(-1, source), surfaces.last.gather(-1, source)
    from_pixel = (column - source) + disparity
    between = (from_pixel > 0) & (source != last)
    fraction = torch.where(between, from_pixel / torch.where(between, 1 - step, 1), 0).clamp(0, 1)
    left = (first - column) + (surfaces.left.gather(-1, source) - surfaces.disparity.gather(-1, first))
    right = (last - column) + (surfaces.right.gather(-1, source) - surfaces.disparity.gather(-1, last))
    return Samples(
        pixel=pixel,
        fraction=fraction,
        disparity=disparity + fraction * step,
        left=left,
        right=right,
        left_slope=surfaces.left_slope.gather(-1, source),
        right_slope=surfaces.right_slope.gather(-1, source),
    )


def interpolate(colour: Tensor, surfaces: Surfaces, pixel: Tensor, fraction: Tensor) -> Tensor:
    """Sample Catmull-Rom between `pixel` and the next (eq. 4), with taps that never leave the run.

    colour (T, C, H, W); pixel, fraction (T, H, W); returns (T, C, H, W)
    """
    source = pixel.clamp_min(0)
    first, last = surfaces.first.gather(-1, source), surfaces.last.gather(-1, source)
    taps = [torch.minimum(torch.maximum(source + tap, first), last) for tap in (-1, 0, 1, 2)]
    return _blend(*((weight, gather_colour(colour, tap)) for weight, tap in zip(cubic(fraction), taps, strict=True)))


def cubic(t: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Weights of the four Catmull-Rom taps at fraction t; exactly 0, 1, 0, 0 at t = 0."""
    return (
        t * (-0.5 + t * (1 - 0.5 * t)),
        1 + t * t * (-2.5 + 1.5 * t),
        t * (0.5 + t * (2 - 1.5 * t)),
        t * t * (-0.5 + 0.5 * t),
    )


def _continue_background(surfaces: Surfaces, owner: Tensor) -> Background:
    """Continue, at every target column, the farther of the surfaces seen next on its left and on its right.

    Its picture is mirrored about its end at half speed: texture without a streak and without a second copy of things.
    """
    width = owner.shape[-1]
    column = torch.arange(width, device=owner.device)
    seen = owner >= 0
    at_left = torch.where(seen, column, -1).cummax(-1).values.roll(1, -1)
    at_left[..., 0] = -1
    at_right = torch.where(seen, column, width).flip(-1).cummin(-1).values.flip(-1).roll(-1, -1)
    at_right[..., -1] = width
    left_end = surfaces.last.gather(-1, owner.gather(-1, at_left.clamp_min(0)).clamp_min(0))
    right_end = surfaces.first.gather(-1, owner.gather(-1, at_right.clamp_max(width - 1)).clamp_min(0))
    left_disparity = torch.where(at_left >= 0, surfaces.disparity.gather(-1, left_end), torch.inf)
    right_disparity = torch.where(at_right < width, surfaces.disparity.gather(-1, right_end), torch.inf)
    end = torch.where(left_disparity < right_disparity, left_end, right_end)
    disparity = torch.minimum(left_disparity, right_disparity)
    away = ((end - column) - disparity).clamp(-2.0 * width, 2.0 * width)
    inside = (MIRROR_SPEED * (away.abs() - 1).clamp_min(0)).copysign(away)
    whole = inside.floor()
    pixel, fraction = end + whole.to(torch.int64), inside - whole
    first, last = surfaces.first.gather(-1, end), surfaces.last.gather(-1, end)
    beyond = (pixel < first) | (pixel >= last)
    pixel = torch.minimum(torch.maximum(pixel, first), last)
    # A row that left the frame entirely: continue its farthest surface.
    farthest = surfaces.disparity.amin(-1, keepdim=True)
    gone = torch.isinf(disparity)
    outside = (column + farthest).round().clamp(0, width - 1).to(torch.int64)
    return Background(
        pixel=torch.where(gone, outside, pixel),
        fraction=torch.where(gone | beyond, 0, fraction),
        disparity=torch.where(gone, farthest, disparity),
    )


def _blend(*parts: tuple[Tensor, Tensor]) -> Tensor:
    """Sum colours (T, C, H, W) by weights (T, H, W)."""
    total = parts[0][0][:, None] * parts[0][1]
    for weight, colour in parts[1:]:
        total = total + weight[:, None] * colour
    return total
