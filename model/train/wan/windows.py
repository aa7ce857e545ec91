"""Training windows for Wan: truth and holes of batch n, a pure function of seed and n."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from model.data.dataset import SceneBatches, SceneRules
from model.data.layered_scenes import Scene
from model.data.media import Library
from model.data.pair_folder import StoredPairs
from model.sasi.wan.inpainter import as_video, masked_view
from model.train.wan.config import StageRules


@dataclass(frozen=True)
class Windows:
    """truth, masked  (B, 3, T, H, W) float32, −1..1     hole  (B, T, 1, H, W) bool"""

    truth: Tensor
    masked: Tensor
    hole: Tensor


def draw_windows(
    library: Library, pairs: StoredPairs | None, stage: StageRules, seed: int, number: int, count: int
) -> Windows:
    """Draw `count` windows of one size, for batch `number` of a stage."""
    height, width = stage.sizes[np.random.default_rng((seed, number, 1)).integers(len(stage.sizes))]
    rules = SceneRules(
        frames=stage.frames,
        height=height,
        width=width,
        batch=count,
        projection_share=float(stage.masks == "projected"),
        random_share=float(stage.masks == "random"),
        stored_share=float(stage.masks == "stored"),
    )
    return _as_windows(SceneBatches(library, rules, seed, pairs=pairs).scenes(number))


class Ahead:
    """Draws the windows of later steps in threads while the network trains on those of this one."""

    def __init__(self, draw: Callable[[int], Windows], steps: int, threads: int) -> None:
        self._draw, self._steps, self._threads = draw, steps, threads
        self._pool = ThreadPoolExecutor(max_workers=threads)
        self._drawn: dict[int, Future[Windows]] = {}

    def take(self, step: int) -> Windows:
        """Give the windows of a step. Steps are taken in order; what `draw` raises passes through."""
        for later in range(step, min(step + self._threads + 1, self._steps)):
            if later not in self._drawn:
                self._drawn[later] = self._pool.submit(self._draw, later)
        return self._drawn.pop(step).result()


def _as_windows(scenes: list[Scene]) -> Windows:
    parts = []
    for scene in scenes:
        truth = torch.from_numpy(np.ascontiguousarray(scene.truth.transpose(0, 3, 1, 2)))
        video, hole = as_video(truth, torch.from_numpy(scene.hole)[:, None])
        parts.append((video, masked_view(video, hole), hole[None]))
    return Windows(*(torch.cat(part) for part in zip(*parts, strict=True)))
