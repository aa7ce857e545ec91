"""Batches of training windows: a pure function of seed and number, so that a resumed run sees the same data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from model.data.layered_scenes import Scene, layered_scene
from model.data.media import Library
from model.data.pair_folder import StoredPairs
from model.data.projection_pairs import projection_pair
from model.sasi.conditions import Conditions, prepare_conditions


@dataclass(frozen=True)
class SceneRules:
    """Size of the windows and of a batch."""

    frames: int = 4
    height: int = 128  # px, a multiple of 16
    width: int = 192  # px, a multiple of 16
    batch: int = 4  # windows
    projection_share: float = 0.2  # of the windows that have PBDP holes
    stored_share: float = 0.0  # of the windows that are cut out of stored pairs; the rest are layered scenes


@dataclass(frozen=True)
class Batch:
    """Windows laid one after the other: F = windows · frames.

    truth (F, 3, H, W) 0..1     edge (F, 1, H, W) bool     conditions as maps of F frames
    """

    truth: Tensor
    edge: Tensor
    conditions: Conditions
    frames: int

    @property
    def frame_number(self) -> Tensor:
        """(F,) int64: windows lie far apart in time, so that no attention cell joins two of them."""
        number = torch.arange(self.truth.shape[0])
        return number % self.frames + number // self.frames * 4 * self.frames


def make_batch(scenes: list[Scene]) -> Batch:
    """Join scenes of one size and compute what the network reads of them."""
    frames = scenes[0].view.shape[0]
    view, truth = (_channels_first([getattr(scene, name) for scene in scenes]) for name in ("view", "truth"))
    hole, edge, disparity = (
        torch.from_numpy(np.concatenate([getattr(scene, name) for scene in scenes]))[:, None]
        for name in ("hole", "edge", "disparity")
    )
    return Batch(truth, edge, prepare_conditions(view, hole, disparity, frames), frames)


def _channels_first(arrays: list[np.ndarray]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(np.concatenate(arrays).transpose(0, 3, 1, 2)))


class SceneBatches(Dataset[Batch]):
    """Batch number i of an endless run; made anew whenever it is asked for."""

    def __init__(
        self,
        library: Library,
        rules: SceneRules,
        seed: int,
        first: int = 0,
        count: int = 1 << 30,
        pairs: StoredPairs | None = None,
    ) -> None:
        self._library, self._rules, self._seed, self._first, self._count = library, rules, seed, first, count
        self._pairs = pairs

    def __len__(self) -> int:
        return self._count - self._first

    def __getitem__(self, number: int) -> Batch:
        rng = np.random.default_rng((self._seed, self._first + number))
        return make_batch([self._scene(rng) for _ in range(self._rules.batch)])

    def _scene(self, rng: np.random.Generator) -> Scene:
        rules, kind = self._rules, rng.random()
        size = (rules.frames, rules.height, rules.width)
        while True:
            if kind < rules.projection_share:
                scene = projection_pair(rng, self._library, *size)
            elif self._pairs is not None and kind < rules.projection_share + rules.stored_share:
                scene = self._pairs.draw(rng, *size)
            else:
                scene = layered_scene(rng, self._library, *size)
            if scene.hole.any():
                return scene
