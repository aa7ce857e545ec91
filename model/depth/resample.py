"""Disparity of one size to another without inventing surfaces: a pixel belongs to one side of a depth edge."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

_TEAR_STRETCH = 0.5  # px of disparity per px: the slope from which the warp takes a surface for two (eq. 7)
_TEAR_RATIO = 3.0  # times its neighbours: a step rather than a slope
_TEAR_MIN_PX = 0.25  # smaller steps are not seen
_COLOUR_NOISE = 0.02
_COLOUR_VOTE = 0.75  # against 0.5 at most for the position: a clear colour decides


def resample_disparity(disparity: Tensor, height: int, width: int, guide: Tensor | None = None) -> Tensor:
    """Resample `disparity`; smooth on surfaces, sharp between them, never a value between two surfaces.

    Between samples of one surface the result is bilinear. Where the four samples around a pixel lie on two surfaces,
    the pixel joins the one whose colour it has (`guide` larger than `disparity`), or the nearer sample's.

    disparity  (T, 1, h, w)      float32, px at the new width
    guide      (T, C, H, W)      float32, any range; the picture that the edges follow; None: position alone decides
    returns    (T, 1, H, W)      float32, px, within the range of `disparity`
    """
    low_height, low_width = disparity.shape[-2:]
    if (low_height, low_width) == (height, width):
        return disparity
    if guide is not None and (low_height > height or low_width > width):
        guide = None
    frames = []
    for t in range(disparity.shape[0]):
        frames.append(_resample_frame(disparity[t, 0], height, width, None if guide is None else guide[t, :3]))
    return torch.stack(frames).unsqueeze(1)


def _resample_frame(disparity: Tensor, height: int, width: int, guide: Tensor | None) -> Tensor:
    """(h, w) px, guide (C, H, W) -> (H, W) px."""
    smooth = F.interpolate(disparity[None, None], size=(height, width), mode="bilinear", align_corners=False)[0, 0]
    low_height, low_width = disparity.shape
    top, down = _taps(low_height, height, disparity.device)
    left, right = _taps(low_width, width, disparity.device)
    torn = _torn_blocks(disparity, height / low_height, width / low_width)
    rows, columns = torn[top][:, left].nonzero(as_tuple=True)
    if rows.numel() == 0:
        return smooth

    y, x, fy, fx = top[rows], left[columns], down[rows], right[columns]
    below, beside = (y + 1).clamp(max=low_height - 1), (x + 1).clamp(max=low_width - 1)
    corners = torch.stack(
        (y * low_width + x, y * low_width + beside, below * low_width + x, below * low_width + beside)
    )
    share = torch.stack(((1 - fy) * (1 - fx), (1 - fy) * fx, fy * (1 - fx), fy * fx)) + 1e-3
    values = disparity.flatten()[corners]  # (4, N)
    near = values >= (values.amax(dim=0) + values.amin(dim=0)) / 2
    vote = (share * near).sum(dim=0) / share.sum(dim=0) - 0.5
    if guide is not None:
        vote = vote + _COLOUR_VOTE * _colour_vote(guide, rows, columns, corners, near, (low_height, low_width))
    chosen = near == (vote >= 0)
    surface = torch.where(chosen, values, -torch.inf).amax(dim=0)
    member = share * chosen
    smooth[rows, columns] = surface + (member * (values - surface)).sum(dim=0) / member.sum(dim=0)
    return smooth


def _taps(low: int, high: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """First of the two samples around each new pixel centre, and the second one's share."""
    position = ((torch.arange(high, device=device, dtype=torch.float32) + 0.5) * (low / high) - 0.5).clamp(0, low - 1)
    first = position.floor()
    return first.long(), position - first


def _torn_blocks(disparity: Tensor, scale_y: float, scale_x: float) -> Tensor:
    """Blocks of 2x2 samples, named by the top left one, that hold a depth edge: (h, w) bool."""
    across = F.pad(_steps(disparity, scale_x), (0, 1, 0, 1))
    down = F.pad(_steps(disparity.mT, scale_y).mT, (0, 1, 0, 1))
    return across[:-1, :] | across[1:, :] | down[:, :-1] | down[:, 1:]


def _steps(disparity: Tensor, scale: float) -> Tensor:
    """Depth edges between horizontal neighbours: (h, w - 1) bool."""
    difference = disparity[:, 1:] - disparity[:, :-1]
    size = difference.abs()
    beside = F.pad(difference, (1, 1))
    towards = difference.sign()
    slope = torch.maximum(beside[:, :-2] * towards, beside[:, 2:] * towards)
    return (size > _TEAR_MIN_PX) & ((size > _TEAR_STRETCH * scale) | (size > _TEAR_RATIO * slope))


def _colour_vote(
    guide: Tensor, rows: Tensor, columns: Tensor, corners: Tensor, near: Tensor, low_size: tuple[int, int]
) -> Tensor:
    """Tell by colour which surface each pixel belongs to: -1 the farther, 1 the nearer, 0 no difference; (N,)."""
    guide = guide / (1 + guide.abs())  # highlights far above 1 must not drown the rest
    low_colours = F.adaptive_avg_pool2d(guide, low_size).flatten(1)  # (C, h*w)
    colours = low_colours[:, corners]  # (C, 4, N)
    near_colour = (colours * near).sum(dim=1) / near.sum(dim=0)
    far_colour = (colours * ~near).sum(dim=1) / (~near).sum(dim=0)
    own = guide[:, rows, columns]
    to_near, to_far = ((own - near_colour) ** 2).sum(dim=0), ((own - far_colour) ** 2).sum(dim=0)
    contrast = ((near_colour - far_colour) ** 2).sum(dim=0)
    return ((to_far - to_near) / (contrast + _COLOUR_NOISE**2)).clamp(-1, 1)
