"""Draft: depth from one clip by what moves, is sharp, has other colours, is a person, and stands on the ground.

    small pictures ─┬ flow, camera's part taken out ─┐
                    ├ sharpness ─────────────────────┤
                    ├ colours unlike the borders ────┼ evidence ─ steady ─ on the ground ─ refine ─ steady ─> nearness
                    └ people ────────────────────────┘

What moves otherwise than the background, is sharper than it or has other colours stands in front of it, and so do
people, whom a small network finds (people.py). What stands in front stands where it touches the ground, and the ground
is nearer the lower it is in the picture. A draft: it separates the main subject from what is behind, it does not
measure distance.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor

from model.depth.cues import ground, sharpness, unlike_border
from model.depth.cuts import find_cuts
from model.depth.edge_filter import Resistance, edge_aware_mean, resistance_of
from model.depth.frames import channel_sum, each
from model.depth.motion import Flow
from model.depth.occlusion import outlines_stay
from model.depth.parallax import moving
from model.depth.people import find_people
from model.depth.pictures import small_pictures
from model.depth.stabilise import STEADY_FRAMES, flow_of
from model.depth.steady import neighbours, steady
from model.errors import ShapeError

_COLOUR_REACH = 0.25
_LIFT = 0.55
_OBJECT, _GAP = -0.02, 0.07  # how much outlines stay: measured -0.5 to -0.16 at objects, 0.1 to 0.17 at gaps
_DOUBTFUL, _CERTAIN = 0.35, 0.8  # how sure the network of people is where it counts not at all and fully


class Draft:
    """The estimator that every machine has."""

    name = "Draft"
    license = "Apache-2.0"
    normalised = True
    steady = True
    detail = "motion, people, sharpness, colour and ground plane"

    def __init__(self, rounds: int = STEADY_FRAMES) -> None:
        """Average over `rounds` frames on each side; 0 shows how much that steadies."""
        self._rounds = rounds

    def estimate(self, frames: Tensor) -> Tensor:
        """Estimate the nearness of a window of frames.

        frames   (T, C, H, W)  float32, C >= 3, any range, about 0..1; finite
        returns  (T, 1, h, w)  float32, 0 far .. 1 near; h, w as the frame or smaller, in its proportions

        Raises ShapeError for another shape. The result depends on these frames alone.
        """
        if frames.ndim != 4 or frames.shape[1] < 3 or 0 in frames.shape:
            raise ShapeError(f"frames must be (T, 3 or more, H, W) with no empty side; got {tuple(frames.shape)}")
        picture = small_pictures(frames)
        nearness = _nearness(picture, find_cuts(frames), self._rounds)
        return torch.from_numpy(nearness).unsqueeze(1).to(frames.device)


def _nearness(picture: np.ndarray, cuts: tuple[int, ...], rounds: int) -> np.ndarray:
    """(T, h, w, 3) -> (T, h, w) nearness."""
    reach = picture.shape[2] / 24
    grey = channel_sum(picture) / 3
    flow = flow_of(picture, cuts)
    around = neighbours(picture, flow)
    standing = _stand_on_the_ground(steady(_evidence(picture, grey, flow), around, rounds))
    refined = edge_aware_mean(standing, np.ones_like(standing), resistance_of(picture, reach, _COLOUR_REACH), reach)
    # mixed pixels around an outline belong to what is near: left behind they would draw it a second time
    grown = np.stack([cv2.dilate(frame, np.ones((3, 3), np.uint8)) for frame in refined])
    return np.clip(steady(grown, around, rounds), 0, 1)


def _evidence(picture: np.ndarray, grey: np.ndarray, flow: Flow) -> np.ndarray:
    """How surely each pixel stands in front of what is around it: (T, h, w), 0..1."""
    frames, height, width = picture.shape[:3]
    half = (max(1, height // 2), max(1, width // 2))
    small = _resized(picture, half)
    found = each(lambda t: moving(grey, flow, t), range(frames))
    weight, claim, outline = (
        _resized(np.stack(maps), half)
        for maps in zip(*((m.weight, m.weight * m.evidence, m.outline) for m in found), strict=True)
    )
    reach = half[1] / 12
    resistance = resistance_of(np.concatenate((small, 0.5 * outline[..., None]), axis=-1), reach, _COLOUR_REACH)
    moves = edge_aware_mean(claim / weight, weight, resistance, 2 * reach)
    stay, telling = (
        _resized(np.stack(maps), half)
        for maps in zip(*each(lambda t: outlines_stay(found, t), range(frames)), strict=True)
    )
    gap = np.clip((edge_aware_mean(stay, telling, resistance, 2 * reach) - _OBJECT) / (_GAP - _OBJECT), 0, 1)
    unlike = np.stack(each(unlike_border, small))
    unlike = edge_aware_mean(unlike, np.ones_like(unlike), resistance, reach)
    focus = _in_focus(small, resistance, reach)
    evidence = 1 - (1 - 0.95 * np.clip(1.7 * moves - 0.1, 0, 1) * (1 - gap)) * (1 - 0.4 * unlike) * (1 - 0.5 * focus)
    person = np.clip((find_people(picture) - _DOUBTFUL) / (_CERTAIN - _DOUBTFUL), 0, 1)
    return 1 - (1 - _resized(evidence, (height, width))) * (1 - 0.95 * person)


def _resized(maps: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize (T, h, w) or (T, h, w, 3): averaging when it shrinks, linear when it grows."""
    method = cv2.INTER_AREA if size[0] <= maps.shape[1] else cv2.INTER_LINEAR
    return np.stack([cv2.resize(m, size[::-1], interpolation=method) for m in maps])


def _in_focus(picture: np.ndarray, resistance: Resistance, reach: float) -> np.ndarray:
    """Evidence that surfaces are in focus while others are not."""
    sharp, weight = (np.stack(maps) for maps in zip(*each(sharpness, picture), strict=True))
    sharp = edge_aware_mean(sharp, weight + 1e-4, resistance, reach)
    trusted = edge_aware_mean(weight, np.ones_like(weight), resistance, reach)
    # a lens that blurs the background leaves two kinds of edges; all alike tells nothing
    low, high = np.quantile(sharp, (0.1, 0.95), axis=(1, 2), keepdims=True)
    spread = np.clip((high - low - 0.25) / 0.5, 0, 1)
    stands_out = np.clip((sharp - low) / np.maximum(high - low, 0.25), 0, 1) ** 2  # smooth: a hard step would flicker
    return spread * stands_out * np.clip(trusted / 0.01, 0, 1)


def _stand_on_the_ground(evidence: np.ndarray) -> np.ndarray:
    """Give what stands out the nearness of the ground where it touches it, and lift it off its background."""
    height, width = evidence.shape[1:]
    contact = np.broadcast_to(ground(height, width), evidence.shape).copy()
    upright = np.clip(3 * evidence - 0.6, 0, 1)
    for y in range(height - 2, -1, -1):
        contact[:, y] += upright[:, y] * np.maximum(contact[:, y + 1] - contact[:, y], 0)
    return contact + (1 - contact) * _LIFT * evidence
