"""Depth of single frames made steady: averaged along the flow of the window, both ways, never across a cut.

For estimators that look at each frame alone. The average is centred (steady.py), so it lags behind nothing, and it is a
function of the window, so it depends on no order of requests.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from model.depth.cuts import find_cuts
from model.depth.frames import channel_sum
from model.depth.motion import Flow, find_flow
from model.depth.pictures import small_pictures
from model.depth.steady import neighbours, steady

STEADY_FRAMES = 5
"""Frames on each side that a frame is averaged with, at most; near ones weigh most."""


def stabilised(nearness: Tensor, frames: Tensor, rounds: int = STEADY_FRAMES) -> Tensor:
    """Average the depth of a window in time, each surface with itself.

    nearness  (T, 1, h, w)  float32, any range
    frames    (T, C, H, W)  float32, C >= 3, the frames it was estimated from
    rounds    how often the nearest frames are averaged; 0 returns `nearness`
    returns   (T, 1, h, w)  float32, on the device of `nearness`, within its range
    """
    picture = small_pictures(frames, (nearness.shape[2], nearness.shape[3]))
    around = neighbours(picture, flow_of(picture, find_cuts(frames)))
    steadied = steady(nearness[:, 0].numpy(force=True), around, rounds)
    return torch.from_numpy(steadied).unsqueeze(1).to(nearness.device)


def flow_of(picture: np.ndarray, cuts: tuple[int, ...]) -> Flow:
    """Find the flow of pictures (T, h, w, 3) float32, 0..1."""
    return find_flow(np.rint(channel_sum(picture) / 3 * 255).astype(np.uint8), cuts)
