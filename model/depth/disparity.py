"""From depth to disparity: the settings of the Depth and Stereo groups, applied.

    depth ─ orient ─ fill unknown ─ range ─ nearness 0..1 ─ bend ─ − convergence ─ · disparity % ─ resample ─> px

All of a frame lies within the disparity that was asked for: nearness is 0 at the farthest surface and at most 1.
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
    depth: Tensor, frames: Tensor, settings: Settings, *, first_frame: int = 0, may_be_normalised: bool = True
) -> Tensor:
    """Turn the depth of a window into disparity at the frames' size.

    d = (bend(nearness) − convergence) · disparity / 100 · W, positive = nearer than the screen. With a depth meaning
    of DISPARITY_MEANINGS the values are disparity already, "foundry-px" with the opposite sign: they are scaled to
    the frames' width and nothing else.

    depth        (T, 1, h, w)  float, meaning and range by `settings`; any size (it is stretched over the frame); NaN
                               and infinite values are unknown and take the farther known neighbour of their row
    frames       (T, C, H, W)  float32, C >= 3, the frames it belongs to: depth of a smaller size is upsampled along
                               their edges, and the automatic range starts anew at their cuts
    first_frame  number of the first frame of the window
    may_be_normalised  False: the automatic range takes values within 0..1 for a unit like any other (scale.py)
    returns      (T, 1, H, W)  float32, px at W. Constant depth is all reference, of nearness 1/2, unless it is
                               normalised

    Raises ShapeError for a wrong shape, InvalidInputError when a frame has no finite depth.
    """
    _check_shapes(depth, frames)
    height, width = frames.shape[2:]
    values = fill_unknown(_nearer_is_larger(depth.float(), settings.depth_meaning), first_frame)
    if settings.depth_meaning in DISPARITY_MEANINGS:
        return resample_disparity(values * (width / depth.shape[-1]), height, width, frames)
    if settings.range == "auto":
        cuts = find_cuts(frames)
        ranges = automatic_range(values, settings.window, first_frame, cuts, may_be_normalised=may_be_normalised)
    else:
        ranges = _manual_range(settings, len(values))
    bent = ranges.mapped(values, lambda nearness: bend(nearness, settings.foreground_scale))
    parallax = (bent - settings.convergence) * (settings.disparity / 100)
    return resample_disparity(parallax * width, height, width, frames)


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


def _manual_range(settings: Settings, count: int) -> Ranges:
    # the meaning says which end is near, so the two ends may be given in either order
    ends = torch.tensor([settings.near, settings.far], dtype=torch.float64)
    farthest, nearest = _nearer_is_larger(ends, settings.depth_meaning).sort().values.tolist()
    return fixed_range(farthest, nearest, count)


def _check_shapes(depth: Tensor, frames: Tensor) -> None:
    if frames.ndim != 4 or frames.shape[1] < 3 or 0 in frames.shape:
        raise ShapeError(f"frames must be (T, 3 or more, H, W) with no empty side; got {tuple(frames.shape)}")
    if depth.ndim != 4 or depth.shape[:2] != (len(frames), 1) or 0 in depth.shape:
        raise ShapeError(f"depth must be ({len(frames)}, 1, h, w) with no empty side; got {tuple(depth.shape)}")
