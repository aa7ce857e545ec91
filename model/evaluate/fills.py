"""What is compared: the classical fills, and SASI with its settings. A fill maps a window to whole frames."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import torch
from torch import Tensor

from model.evaluate.windows import Window
from model.sasi.conditions import row_fill
from model.sasi.inpainter import Inpainter

Fill = Callable[[Window], Tensor]
"""Frames (T, 3, H, W) float32, about 0..1; outside the hole they are the view."""

ROW_FILL, PUSH_PULL = "row fill", "push-pull, background only"
_OPENCV_RADIUS_PX = 4


def yardsticks() -> dict[str, Fill]:
    """The fills without a network, by name."""
    return {
        ROW_FILL: lambda window: row_fill(window.conditions),
        PUSH_PULL: lambda window: window.conditions.known,
        "Telea": lambda window: opencv_fill(window, cv2.INPAINT_TELEA),
        "Navier-Stokes": lambda window: opencv_fill(window, cv2.INPAINT_NS),
    }


def gapw_stretch(window: Window) -> Tensor:
    """The warp's own background, stretched over the hole."""
    assert window.stretched is not None
    return torch.where(window.hole, window.stretched, window.view)


def sasi(inpainter: Inpainter, kept: list[float] | None = None, **rules: int | bool) -> Fill:
    """SASI with the rules of `Inpainter.fill`; without a feather, so that every fill answers for the same pixels.

    kept  the retention of every window is added to this list
    """

    def fill(window: Window) -> Tensor:
        result = inpainter.fill(window.view, window.hole, window.disparity, blend=False, **rules)  # type: ignore[arg-type]
        if kept is not None:
            kept.append(result.retention)
        return result.view

    return fill


def opencv_fill(window: Window, method: int) -> Tensor:
    """Fill each frame by OpenCV's classical inpainting."""
    filled = []
    for view, hole in zip(window.view, window.hole[:, 0], strict=True):
        picture = (view.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).contiguous().numpy()
        painted = cv2.inpaint(picture, hole.byte().numpy(), _OPENCV_RADIUS_PX, method)
        filled.append(torch.from_numpy(painted.astype(np.float32) / 255).permute(2, 0, 1))
    return torch.where(window.hole, torch.stack(filled), window.view)
