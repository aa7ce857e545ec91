"""Batches of training windows: a pure function of seed and number, so that a resumed run sees the same data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from model.data.layered_scenes import Scene, layered_scene
from model.data.mask_strategies import forward_pair, random_mask_scene
from model.data.media import Library
from model.data.pair_folder import StoredPairs
from model.data.projection_pairs import projection_pair
from model.errors import SettingsError
from model.rule_checks import check_least, check_shares
from model.sasi.conditions import Conditions, prepare_conditions

Draw = Callable[..., Scene]
"""(rng, frames=, height=, width=) -> Scene"""


@dataclass(frozen=True)
class SceneRules:
    """Size of the windows and of a batch. Raises SettingsError for values out of range."""

    frames: int = 4
    height: int = 128  # px, a multiple of 16
    width: int = 192  # px, a multiple of 16
    batch: int = 4  # windows
    projection_share: float = 0.2  # of the windows that have PBDP holes
    stored_share: float = 0.0  # of the windows that are cut out of stored pairs
    random_share: float = 0.0  # of the windows with random masks (the paper's stage 1)
    forward_share: float = 0.0  # of the windows with the holes of a forward warp; the rest are layered scenes

    def __post_init__(self) -> None:
        check_least(self, frames=1, height=16, width=16, batch=1)
        check_shares(self, "projection_share", "stored_share", "random_share", "forward_share")
        if self.height % 16 or self.width % 16:
            raise SettingsError(f"height and width must be multiples of 16; got {self.height}x{self.width}")


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
        return make_batch(self.scenes(number))

    def scenes(self, number: int) -> list[Scene]:
        """Draw the windows of batch `number`, before anything is computed from them."""
        rng = np.random.default_rng((self._seed, self._first + number))
        return [self._scene(rng) for _ in range(self._rules.batch)]

    def _scene(self, rng: np.random.Generator) -> Scene:
        rules, draw = self._rules, self._drawn_by(rng.random())
        while True:
            scene = draw(rng, frames=rules.frames, height=rules.height, width=rules.width)
            if scene.hole.any():
                return scene

    def _drawn_by(self, kind: float) -> Draw:
        """Choose how a window is drawn; kind is 0..1, along which the shares lie one after the other."""
        rules, library = self._rules, self._library
        choices: list[tuple[float, Draw]] = [(rules.projection_share, partial(projection_pair, library=library))]
        if self._pairs is not None:
            choices.append((rules.stored_share, self._pairs.draw))
        choices.append((rules.random_share, partial(random_mask_scene, library=library)))
        choices.append((rules.forward_share, partial(forward_pair, library=library)))
        for share, draw in choices:
            if kind < share:
                return draw
            kind -= share
        return partial(layered_scene, library=library)
