"""How much a fill changes from frame to frame where the footage does not."""

from __future__ import annotations

import math
from collections.abc import Iterable

import cv2
import numpy as np
import torch
from torch import Tensor

from model.evaluate.fills import Fill
from model.evaluate.markdown import number, table
from model.evaluate.windows import Window


def flicker_table(windows: Iterable[Window], fills: dict[str, Fill]) -> str:
    """Mean warped difference inside the mask of successive frames, of 255; the truth's own is what motion leaves."""
    fills = {**fills, "the truth": lambda window: window.truth}
    total, pixels = dict.fromkeys(fills, 0.0), dict.fromkeys(fills, 0)
    for window in windows:
        for name, fill in fills.items():
            change, counted = warped_difference(fill(window), window.truth, window.hole)
            total[name] += change
            pixels[name] += counted
    rows = [(name, number(255 * total[name] / pixels[name] if pixels[name] else math.nan, 2)) for name in fills]
    return table(("fill", "warped difference in holes, of 255"), rows)


def warped_difference(image: Tensor, truth: Tensor, hole: Tensor) -> tuple[float, int]:
    """Sum over pixels of |f(t) − f(t+1) moved back|, and how many pixels there are.

    image, truth (T, 3, H, W) 0..1     hole (T, 1, H, W) bool
    Motion is that of the truth (DIS optical flow). A pixel counts when it is a hole in frame t and the place it moves
    to is a hole in t + 1; where the truth itself does not follow the motion (> 0.1) it does not count.
    """
    flow_of = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    grey = [cv2.cvtColor(_picture(one), cv2.COLOR_RGB2GRAY) for one in truth]
    total, pixels = 0.0, 0
    for t in range(len(image) - 1):
        flow = flow_of.calc(_bytes(grey[t]), _bytes(grey[t + 1]), np.zeros((*grey[t].shape, 2), np.float32))
        there = _moved(hole[t + 1].float(), flow)[..., None] > 0.99
        followed = np.abs(_moved(truth[t + 1], flow) - _picture(truth[t])).mean(axis=2, keepdims=True) < 0.1
        counts = hole[t].permute(1, 2, 0).numpy() & there & followed
        change = np.abs(_moved(image[t + 1], flow) - _picture(image[t])).mean(axis=2, keepdims=True)
        total, pixels = total + float(change[counts].sum()), pixels + int(counts.sum())
    return total, pixels


def _moved(image: Tensor, flow: np.ndarray) -> np.ndarray:
    """Read (C, H, W) at p + flow(p): (H, W, C), or (H, W) of one channel."""
    height, width = flow.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return cv2.remap(_picture(image), x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR)


def _picture(image: Tensor) -> np.ndarray:
    return np.ascontiguousarray(torch.clamp(image, 0, 1).permute(1, 2, 0).numpy())


def _bytes(grey: np.ndarray) -> np.ndarray:
    return np.round(grey * 255).astype(np.uint8)
