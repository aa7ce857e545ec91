"""The floating window: black bars that bring the screen's edge forward to what it cuts off.

Something nearer than the screen that the frame cuts off is torn between the eyes: one eye sees a strip of it that the
other does not. At the right edge the right eye shows that strip (the left eye's picture ends before it), at the left
edge the left eye does. Masking the strip moves the edge of the window to the depth of what it cuts:

    right edge:  the last d px of the RIGHT eye are masked
    left edge:   the first d px of the LEFT eye are masked (a bar in the right eye would push the edge back instead)

so the right eye alone carries the right bar only, and outputs that hold both eyes carry both.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from model.depth.anchors import between_anchors, find_anchors
from model.settings import Settings

_STRIP = 0.02  # of the width: what counts as crossing the edge
_SHARE = 0.9  # quantile of the strip's disparity that the bar hides: a small object does not move the window


@dataclass(frozen=True)
class FloatingWindow:
    """Widths of the black bars of each frame, in px and fractions of px, >= 0.

    left_px    (T,) float32: bar at the left edge of the left eye
    right_px   (T,) float32: bar at the right edge of the right eye
    """

    left_px: Tensor
    right_px: Tensor


def floating_window(
    disparity: Tensor, settings: Settings, *, first_frame: int = 0, cuts: tuple[int, ...] = ()
) -> FloatingWindow:
    """Find the bars of each frame of a window.

    "off" has none; "manual" gives both edges `floating_window_width` percent of the frame width; "auto" gives each
    edge the disparity of what crosses it, measured at the anchors of the automatic range and interpolated (anchors.py),
    so it opens and closes smoothly and does not depend on the order of requests.

    disparity    (T, 1, H, W)  float32, px, > 0 is nearer than the screen
    first_frame  number of the first frame of the window
    cuts         indices into the window of frames that start a new shot (cuts.find_cuts)
    """
    count, width = disparity.shape[0], disparity.shape[-1]
    if settings.floating_window == "auto":
        anchors = find_anchors(count, settings.window, first_frame, cuts)
        left = between_anchors(lambda t: _crossing_px(disparity[t, 0], "left"), anchors)
        right = between_anchors(lambda t: _crossing_px(disparity[t, 0], "right"), anchors)
        return FloatingWindow(left_px=torch.from_numpy(left).float(), right_px=torch.from_numpy(right).float())
    manual_px = settings.floating_window_width / 100 * width if settings.floating_window == "manual" else 0.0
    bars = torch.full((count,), manual_px)
    return FloatingWindow(left_px=bars, right_px=bars.clone())


def _crossing_px(disparity: Tensor, edge: str) -> float:
    """Disparity of what crosses the edge of one frame (H, W), px; 0 when it is not nearer than the screen."""
    strip = max(1, round(_STRIP * disparity.shape[-1]))
    crossing = disparity[:, :strip] if edge == "left" else disparity[:, -strip:]
    return max(0.0, float(torch.quantile(crossing.flatten(), _SHARE)))


def mask_edge(frames: Tensor, bar_px: Tensor, edge: str) -> Tensor:
    """Blacken the bar at one edge of each frame; a fraction of a px darkens its column by that fraction.

    frames   (T, C, H, W)  float32, any range; the first three channels go to 0, alpha stays (the bar is opaque)
    bar_px   (T,)          float32, >= 0
    edge     "left" or "right"
    returns  (T, C, H, W)  float32; `frames` itself when every bar is 0
    """
    if not bool((bar_px > 0).any()):
        return frames
    column = torch.arange(frames.shape[-1], device=frames.device, dtype=torch.float32)
    column = column if edge == "left" else column.flip(0)
    seen = (column + 1 - bar_px.to(column)[:, None]).clamp(0, 1)[:, None, None, :]
    return torch.cat((frames[:, :3] * seen, frames[:, 3:]), dim=1)
