"""From depth to disparity: the settings of the Depth and Stereo groups, applied.

    depth ─ orient ─ fill unknown ─ range ─ nearness 0..1 ─ bend ─ − convergence ─ · disparity % ─ resample ─> px

Nearness is 0 at the farthest and 1 at the nearest surface; values beyond the range sit on its ends, so all of a
frame lies within the disparity that was asked for.
"""

from __future__ import annotations

import torch
from torch import Tensor

from model.depth.cuts import find_cuts
from model.depth.range import Ranges, automatic_range, fixed_range
from model.depth.resample import resample_disparity
from model.depth.unknown import fill_unknown
from model.errors import ShapeError
from model.settings import DISPARITY_MEANINGS, Settings


def disparity_from_depth(
    depth: Tensor,
    settings: Settings,
    width_px: int,
    height_px: int,
    *,
    first_frame: int = 0,
    guide: Tensor | None = None,
    may_be_normalised: bool = True,
) -> Tensor:
    """Turn the depth of a window into disparity at the frame's size.

    d = (bend(nearness) − convergence) · disparity / 100 · width_px, positive = nearer than the screen. With a
    depth meaning of DISPARITY_MEANINGS the values are disparity already, "foundry-px" with the opposite sign: they are
    scaled to `width_px` and nothing else.

    depth        (T, 1, h, w)  float, meaning and range by `settings`; any size (it is stretched over the frame); NaN
                               and infinite values are unknown and take the farther known neighbour of their row
    guide        (T, C, H, W)  float32, the frames: depth of a smaller size is upsampled along their edges, and
                               the automatic range starts anew at their cuts; None: depth edges stay where they are
    first_frame  number of the first frame of the window
    may_be_normalised  False: the automatic range stretches values within 0..1 too (range.py)
    returns      (T, 1, H, W)  float32, px at `width_px`. Constant depth has no range unless it is normalised: all of
                               it is on the screen (0)

    Raises ShapeError for a wrong shape, InvalidInputError when a frame has no finite depth.
    """
    _check_shapes(depth, guide, width_px, height_px)
    values = fill_unknown(_nearer_is_larger(depth.float(), settings.depth_meaning), first_frame)
    if settings.depth_meaning in DISPARITY_MEANINGS:
        low = values * (width_px / depth.shape[-1])
    else:
        low = _parallax(values, _ranges(values, settings, first_frame, guide, may_be_normalised), settings) * width_px
    return resample_disparity(low, height_px, width_px, guide)


def bend(nearness: Tensor, foreground_scale: float) -> Tensor:
    """Bend the depth curve; 0 and 1 stay, the order of depths stays.

    b(n) = n / (n + k·(1 − n)) with k = 2^foreground_scale. If n falls linearly with distance and the farthest
    surface is k times as far away as the nearest, b is the normalised inverse distance (1/z − 1/far) / (1/near −
    1/far): the nearness that a camera pair sees. So > 0 pushes the middle back, and −s undoes s.

    nearness  any shape, float, 0..1
    """
    k = 2.0**foreground_scale
    return nearness / (nearness + k * (1 - nearness))


def _nearer_is_larger(depth: Tensor, meaning: str) -> Tensor:
    return -depth if meaning in ("white-far", "foundry-px") else depth


def _ranges(
    values: Tensor, settings: Settings, first_frame: int, guide: Tensor | None, may_be_normalised: bool
) -> Ranges:
    if settings.range == "auto":
        cuts = () if guide is None else find_cuts(guide)
        return automatic_range(values, settings.window, first_frame, cuts, may_be_normalised=may_be_normalised)
    # the meaning says which end is near, so the two ends may be given in either order
    ends = torch.tensor([settings.near, settings.far], dtype=torch.float64)
    low, high = _nearer_is_larger(ends, settings.depth_meaning).sort().values.tolist()
    return fixed_range(low, high, len(values))


def _parallax(values: Tensor, ranges: Ranges, settings: Settings) -> Tensor:
    """Fraction of the frame width by which each pixel is nearer than the screen."""
    farthest, nearest, share = (
        part.to(values)[..., None, None, None].unbind(dim=1) for part in (ranges.farthest, ranges.nearest, ranges.share)
    )
    mapped = [_mapped(values, *ends, settings) for ends in zip(farthest, nearest, strict=True)]
    return mapped[0] if len(mapped) == 1 else mapped[0] * share[0] + mapped[1] * share[1]


def _mapped(values: Tensor, farthest: Tensor, nearest: Tensor, settings: Settings) -> Tensor:
    """Parallax of `values` (T, 1, h, w) by one range a frame, (T, 1, 1, 1) each."""
    span = nearest - farthest
    flat = span <= 1e-6 * torch.maximum(nearest.abs(), farthest.abs())
    nearness = ((values - farthest) / torch.where(flat, torch.ones_like(span), span)).clamp(0, 1)
    parallax = (bend(nearness, settings.foreground_scale) - settings.convergence) * (settings.disparity / 100)
    return torch.where(flat, torch.zeros_like(parallax), parallax)


def _check_shapes(depth: Tensor, guide: Tensor | None, width_px: int, height_px: int) -> None:
    if depth.ndim != 4 or depth.shape[1] != 1 or 0 in depth.shape:
        raise ShapeError(f"depth must be (T, 1, h, w) with no empty side; got {tuple(depth.shape)}")
    if width_px < 1 or height_px < 1:
        raise ShapeError(f"the frame must be at least 1x1 px; got {width_px}x{height_px}")
    if guide is not None and (guide.ndim != 4 or (len(guide), *guide.shape[2:]) != (len(depth), height_px, width_px)):
        expected = f"({len(depth)}, C, {height_px}, {width_px})"
        raise ShapeError(f"guide must be {expected}, the frames that the depth belongs to; got {tuple(guide.shape)}")
