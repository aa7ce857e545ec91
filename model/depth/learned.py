"""Learned depth: a network from the model store behind the seam of estimators.py.

Each frame is looked at on its own, so neither the order of frames nor the length of the window changes a result. The
values are inverse depth of the model's own scale, not stretched to 0..1 per frame or window: what two frames say stays
comparable, and the automatic range (range.py) finds near and far from the anchors of the clip.
"""

from __future__ import annotations

import logging
import threading
from functools import cache

import torch
from torch import Tensor

from model.depth.depth_network import MISSING_TRANSFORMERS, DepthNetwork, has_transformers, load_network
from model.depth.model_folder import ModelFolder, is_noncommercial
from model.depth.model_store import ModelStore, default_store_path
from model.errors import DeviceMemoryError, ShapeError, WeightsError

log = logging.getLogger(__name__)

MEMORY_BYTES = 2 << 30
"""What the frames that are looked at together may take on a GPU, beside the weights."""

_SCALES = {"inverse-depth": "relative depth", "depth": "depth in metres"}


class LearnedEstimator:
    """One model of the store. Cheap to build: its weights are loaded by the first `estimate` on a device."""

    def __init__(self, folder: ModelFolder, memory_bytes: int = MEMORY_BYTES) -> None:
        self.folder = folder
        self._memory_bytes = memory_bytes
        self._networks: dict[torch.device, DepthNetwork] = {}
        self._loading = threading.Lock()

    @property
    def name(self) -> str:
        """The model's name in the store."""
        return self.folder.manifest.name

    @property
    def license(self) -> str:
        """SPDX expression of the licence of the weights."""
        return self.folder.manifest.license

    @property
    def normalised(self) -> bool:
        """No: inverse depth has the model's own scale, or is 1/m."""
        return False

    @property
    def steady(self) -> bool:
        """No: each frame is looked at on its own."""
        return False

    @property
    def version(self) -> str:
        """12 hexadecimal digits that change when equal frames may give other depth."""
        return self.folder.manifest.version

    @property
    def detail(self) -> str:
        """One line: what it is and where it came from, or what is missing."""
        manifest = self.folder.manifest
        size_mb = manifest.size_bytes / 1e6
        what = f"{manifest.architecture}, {_SCALES[manifest.predicts]}, {size_mb:.0f} MB from {manifest.origin}"
        return f"{what} ({manifest.version})" if self.available else f"{what}; {MISSING_TRANSFORMERS}"

    @property
    def available(self) -> bool:
        """Whether the package that runs it is installed; the files are checked when they are loaded."""
        return has_transformers()

    def estimate(self, frames: Tensor) -> Tensor:
        """Estimate inverse depth.

        frames   (T, 3, H, W)  float32, any finite range; about 0..1 is what the network knows, see
                               preprocessing.display_referred for the rest
        returns  (T, 1, h, w)  float32, on the frames' device, larger is nearer, the network's own size. Relative
                               models: >= 0 of any scale; metric models: 1/m

        Raises ShapeError, WeightsError when the model is damaged, DeviceMemoryError when one frame does not fit.
        """
        if frames.ndim != 4 or frames.shape[1] != 3 or 0 in frames.shape:
            raise ShapeError(f"frames must be (T, 3, H, W) and not empty; got {tuple(frames.shape)}")
        network = self._network(frames.device)
        try:
            with torch.no_grad():
                batches = frames.float().split(self._batch(network, frames))
                nearness = torch.cat([network.inverse_depth(batch) for batch in batches])
        except torch.OutOfMemoryError as error:
            height, width = frames.shape[-2:]
            raise DeviceMemoryError(
                f"{self.name} does not fit into the memory of {frames.device} with frames of {width}x{height} px; "
                "close what else uses it, or choose a smaller model"
            ) from error
        if not torch.isfinite(nearness).all():
            raise WeightsError(f"{self.name} gave NaN or infinite depth; its weights are no good: choose another model")
        return nearness

    def unload(self) -> None:
        """Give the memory of the weights back; the next `estimate` loads them again."""
        with self._loading:
            self._networks.clear()

    def _network(self, device: torch.device) -> DepthNetwork:
        with self._loading:  # several devices load their own copies, one after the other
            if device not in self._networks:
                log.info("loading depth model %s on %s", self.name, device)
                self._networks[device] = load_network(self.folder, device)
            return self._networks[device]

    def _batch(self, network: DepthNetwork, frames: Tensor) -> int:
        """Frames at once: a function of sizes alone, never of the memory that happens to be free."""
        if frames.device.type == "cpu":
            return 1  # more at once are no faster there
        return max(1, self._memory_bytes // network.frame_bytes(*frames.shape[-2:]))


@cache
def installed_estimators() -> tuple[LearnedEstimator, ...]:
    """List the user's own models, found once per process so that "the best there is" cannot change under way."""
    return estimators_of(ModelStore(default_store_path()))


def estimators_of(store: ModelStore) -> tuple[LearnedEstimator, ...]:
    """List the models of a store that can run, those free for commercial use first, then by name.

    Damaged ones are left out with a line in the log; `python -m service models verify` says what is wrong with them.
    """
    if not has_transformers():
        if names := store.names():
            log.warning("depth models %s are installed but cannot run: %s", ", ".join(names), MISSING_TRANSFORMERS)
        return ()
    estimators = (LearnedEstimator(folder) for folder in store.readable())
    return tuple(sorted(estimators, key=lambda estimator: (is_noncommercial(estimator.license), estimator.name)))
