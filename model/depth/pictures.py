"""Frames as the estimators look at them: small, and within 0..1."""

from __future__ import annotations

import cv2
import numpy as np
from torch import Tensor

from model.depth.frames import each

WORKING_WIDTH = 480
"""px; depth is found at this width or the frame's own, whichever is smaller."""


def working_size(height: int, width: int) -> tuple[int, int]:
    """Height and width at which a frame of this size is looked at."""
    return max(1, round(height * min(1.0, WORKING_WIDTH / width))), min(width, WORKING_WIDTH)


def small_pictures(frames: Tensor, size: tuple[int, int] | None = None) -> np.ndarray:
    """Shrink frames: (T, h, w, 3) float32, 0..1, highlights rolled off.

    frames  (T, C, H, W)  float32, C >= 3, any range
    size    (h, w); None: the working size
    """
    height, width = size or working_size(*frames.shape[2:])
    planes = frames[:, :3].float().numpy(force=True)

    def shrunk(frame: np.ndarray) -> np.ndarray:
        return np.dstack([cv2.resize(plane, (width, height), interpolation=cv2.INTER_AREA) for plane in frame])

    picture = np.maximum(np.stack(each(shrunk, planes)), 0)
    rolled_off = 1 - 0.2 * np.exp(4 - 5 * picture)  # leaves the diagonal at 0.8 with slope 1, ends at 1
    return np.where(picture < 0.8, picture, rolled_off).astype(np.float32)
