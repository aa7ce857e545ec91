"""Draft: depth from one clip without a trained network.

    frames ─ small pictures ─┬ flow ─ camera's part taken out ─┐
                             ├ sharpness ──────────────────────┼ evidence ─ steady ─ stand on the ground ─ refine ─ steady
                             └ colours unlike the borders ─────┘

What moves otherwise than the background, is sharper than it or has other colours stands in front of it; it stands
where it touches the ground, and the ground is nearer the lower it is in the picture. A draft: it separates the main
subject from what is behind, it does not measure distance.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor

from model.depth.cues import background_likelihood, ground, sharpness, unlike_border
from model.depth.cuts import find_cuts
from model.depth.edge_filter import Resistance, edge_aware_mean, resistance_of
from model.depth.motion import Flow, camera_flow, find_flow, follow
from model.depth.steady import steady
from model.errors import ShapeError

WORKING_WIDTH = 480
"""px; depth is found at this width or the frame's own, whichever is smaller."""

_COLOUR_REACH = 0.25
_STEADY_FRAMES = 4


class Draft:
    """The estimator that every machine has."""

    name = "Draft"
    license = "Apache-2.0"
    detail = "motion, sharpness, colour and ground plane; no weights"

    def estimate(self, frames: Tensor) -> Tensor:
        """Estimate the nearness of a window of frames.

        frames   (T, C, H, W)  float32, C >= 3, any range, about 0..1; finite
        returns  (T, 1, h, w)  float32, 0 far .. 1 near; h, w as the frame or smaller, in its proportions

        Raises ShapeError for another shape. The result depends on these frames alone.
        """
        if frames.ndim != 4 or frames.shape[1] < 3 or 0 in frames.shape:
            raise ShapeError(f"frames must be (T, 3 or more, H, W) with no empty side; got {tuple(frames.shape)}")
        picture = small_pictures(frames)
        nearness = _nearness(picture, find_cuts(frames))
        return torch.from_numpy(nearness).unsqueeze(1).to(frames.device)


def small_pictures(frames: Tensor) -> np.ndarray:
    """Shrink frames to the working size: (T, h, w, 3) float32, 0..1, highlights rolled off."""
    height, width = frames.shape[2:]
    size = (min(width, WORKING_WIDTH), max(1, round(height * min(1.0, WORKING_WIDTH / width))))
    planes = frames[:, :3].float().numpy(force=True)
    small = [np.stack([cv2.resize(p, size, interpolation=cv2.INTER_AREA) for p in frame], axis=-1) for frame in planes]
    picture = np.maximum(np.stack(small), 0)
    rolled_off = 1 - 0.2 * np.exp(4 - 5 * picture)  # leaves the diagonal at 0.8 with slope 1, ends at 1
    return np.where(picture < 0.8, picture, rolled_off).astype(np.float32)


def _nearness(picture: np.ndarray, cuts: tuple[int, ...]) -> np.ndarray:
    """(T, h, w, 3) -> (T, h, w) nearness."""
    width = picture.shape[2]
    grey = np.rint(picture.mean(axis=-1) * 255).astype(np.uint8)
    flow = find_flow(grey, cuts)
    resistance = resistance_of(picture, width / 10, _COLOUR_REACH)
    evidence = steady(_evidence(picture, flow, resistance), picture, flow, _STEADY_FRAMES)
    standing = _stand_on_the_ground(evidence)
    refined = edge_aware_mean(standing, np.ones_like(standing), resistance, width / 24)
    return np.clip(steady(refined, picture, flow, _STEADY_FRAMES), 0, 1)


def _evidence(picture: np.ndarray, flow: Flow, resistance: Resistance) -> np.ndarray:
    """How surely each pixel stands in front of what is around it: (T, h, w), 0..1."""
    reach = picture.shape[2] / 12
    frames = range(len(picture))
    moving = np.stack([_moving(flow, t, picture.shape[1:3]) for t in frames])
    moving = edge_aware_mean(moving, 0.05 + moving, resistance, reach)
    unlike = np.stack([unlike_border(frame) for frame in picture])
    unlike = edge_aware_mean(unlike, np.ones_like(unlike), resistance, reach)
    focus = _in_focus(picture, resistance, reach)
    return 1 - (1 - 0.95 * moving) * (1 - 0.6 * unlike) * (1 - 0.7 * focus)


def _in_focus(picture: np.ndarray, resistance: Resistance, reach: float) -> np.ndarray:
    sharp, weight = (np.stack(maps) for maps in zip(*(sharpness(frame) for frame in picture), strict=True))
    sharp = edge_aware_mean(sharp, weight + 1e-4, resistance, reach)
    trusted = edge_aware_mean(weight, np.ones_like(weight), resistance, reach)
    result = np.empty_like(sharp)
    for t in range(len(picture)):
        # a lens that blurs the background leaves two kinds of edges; all alike tells nothing
        low, high = np.quantile(sharp[t], (0.1, 0.95))
        spread = np.clip((high - low - 0.25) / 0.35, 0, 1)
        result[t] = spread * np.clip((sharp[t] - low) / max(high - low, 1e-3) * 1.6 - 0.6, 0, 1)
    return result * np.clip(trusted / 0.01, 0, 1)


def _moving(flow: Flow, t: int, size: tuple[int, int]) -> np.ndarray:
    """Evidence (h, w) that pixels of frame t move otherwise than the background."""
    behind = background_likelihood(*size)
    total, count = np.zeros((*size, 2), np.float32), 0
    for sign, steps in ((1, flow.forward), (-1, flow.backward)):
        path, length = _path(steps, t, sign)
        if path is not None:
            total += sign / length * (path - camera_flow(path, behind))
            count += 1
    speed = np.sqrt((total**2).sum(axis=-1)) / max(count, 1)
    return (speed**2 / (speed**2 + _SPEED_PX**2)).astype(np.float32)


_SPEED_PX = 0.6
_PATH = 2


def _path(steps, t: int, sign: int):
    """Flow chained over up to _PATH frames from t on."""
    path, length = None, 0
    while length < _PATH and steps[t + sign * length] is not None:
        step = steps[t + sign * length]
        path = step if path is None else path + follow(step, path)
        length += 1
    return path, length


def _stand_on_the_ground(evidence: np.ndarray) -> np.ndarray:
    """Give what stands out the nearness of the ground where it touches it, and lift it off its background."""
    height, width = evidence.shape[1:]
    floor = ground(height, width)
    contact = np.broadcast_to(floor, evidence.shape).copy()
    upright = np.clip(2 * evidence - 0.5, 0, 1)
    for y in range(height - 2, -1, -1):
        contact[:, y] += upright[:, y] * np.maximum(contact[:, y + 1] - contact[:, y], 0)
    return contact + (1 - contact) * 0.45 * evidence
