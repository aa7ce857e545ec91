"""Pseudo-stereo training pairs out of mono clips (PBDP, eq. 8-9): what is left out of a frame, and the frame itself.

    clip ─ runs of frames ─ estimator ─ disparity, as strong as the clip's own draw ─ there and back ─> pair

The clip plays the right eye: its frames are the truth, and a hole is what its left eye would not see.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from model.data.media import read_runs
from model.data.projection_pairs import right_eye_projection
from model.depth.cuts import find_cuts
from model.depth.disparity import disparity_from_depth
from model.depth.estimators import DepthEstimator, steady_depth
from model.errors import InvalidInputError
from model.settings import Settings

CONTEXT = 4
"""Frames on each side of a pair that the estimator sees too: motion tells what stands in front."""


@dataclass(frozen=True)
class PairRules:
    """What pairs are cut out of clips. Raises InvalidInputError when the values contradict each other."""

    seed: int = 0
    frames: int = 8  # in a pair
    every: int = 48  # frames from the start of one pair to the start of the next
    width: int = 640  # px, wider clips are reduced
    least_disparity: float = 1.0  # % of the width between nearest and farthest; drawn once for each clip
    most_disparity: float = 5.0  # %

    def __post_init__(self) -> None:
        if self.frames < 1 or self.every < self.run_length or self.width < 16 or self.seed < 0:
            raise InvalidInputError(
                f"expected seed >= 0, frames >= 1, every >= frames + {2 * CONTEXT} and width >= 16; got {self}"
            )
        if not 0 < self.least_disparity <= self.most_disparity <= 10:
            raise InvalidInputError(
                f"expected 0 < least <= most <= 10 % disparity; got {self.least_disparity:g}, {self.most_disparity:g}"
            )

    @property
    def run_length(self) -> int:
        """Frames that are decoded for a pair."""
        return self.frames + 2 * CONTEXT

    def strength_of(self, sha256: str) -> tuple[float, float]:
        """Draw a clip's disparity (%) and convergence (0..1); its content decides, not its name or place."""
        rng = np.random.default_rng((self.seed, int(sha256[:16], 16)))
        return round(float(rng.uniform(self.least_disparity, self.most_disparity)), 4), round(float(rng.random()), 4)


@dataclass(frozen=True)
class Pair:
    """One training pair.

    truth      (T, H, W, 3) uint8, RGB: the clip
    view       (T, H, W, 3) uint8: the clip after two warps, the background continued into the holes
    hole       (T, H, W)    bool: what the other eye does not see
    disparity  (T, H, W)    float16, px, of `truth`, > 0 is nearer than the screen
    """

    truth: NDArray[np.uint8]
    view: NDArray[np.uint8]
    hole: NDArray[np.bool_]
    disparity: NDArray[np.float16]


def shots_of(clip: Path, rules: PairRules) -> Iterator[tuple[int, torch.Tensor]]:
    """Yield the runs that a clip gives: the number of the pair's first frame, and the frames with their context.

    A run (T, 3, H, W) float32 0..1 lies in one shot: those with a cut in them are left out.
    """
    for first, run in read_runs(clip, rules.width, rules.run_length, rules.every):
        frames = torch.from_numpy(run).movedim(-1, 1).float() / 255
        if not find_cuts(frames):
            yield first + CONTEXT, frames


def make_pair(run: torch.Tensor, strength: tuple[float, float], estimator: DepthEstimator) -> Pair:
    """Make the pair of a run of `shots_of`; `strength` is the clip's disparity (%) and convergence."""
    settings = Settings(disparity=strength[0], convergence=strength[1])
    nearness = steady_depth(estimator, run)
    disparity = disparity_from_depth(nearness, run, settings, may_be_normalised=estimator.normalised)
    kept = slice(CONTEXT, len(run) - CONTEXT)
    projection = right_eye_projection(run[kept], disparity[kept])
    return Pair(
        truth=_bytes(projection.target),
        view=_bytes(projection.view),
        hole=projection.disocclusion[:, 0].numpy(),
        disparity=disparity[kept, 0].numpy().astype(np.float16),
    )


def _bytes(frames: torch.Tensor) -> NDArray[np.uint8]:
    """(T, 3, H, W) 0..1 -> (T, H, W, 3) uint8."""
    return (frames.clamp(0, 1) * 255).round().byte().movedim(1, -1).contiguous().numpy()
