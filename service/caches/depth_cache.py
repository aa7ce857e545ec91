"""⑥ Estimated depth by content: other stereo or fill settings, other layouts, other hosts never estimate it again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from service.caches.guarded_cache import GuardedCache
from service.caches.kept_array import KeptArray
from service.caches.spill import Spill
from service.caches.spilled_cache import ArrayEntries

if TYPE_CHECKING:
    from torch import Tensor

    from model.depth.estimators import DepthEstimator

DepthKey = tuple[str, str, bytes]
"""(name of the estimator, device, digest of the window's frames). Of one version of the model."""


class DepthCache(GuardedCache[DepthKey, KeptArray]):
    """Nearness as an estimator gave it."""

    def __init__(self, max_bytes: int, spill: Spill | None = None) -> None:
        super().__init__(max_bytes, ArrayEntries("depth"), spill)


def remembering(estimator: DepthEstimator, cache: DepthCache, frames_digest: bytes) -> DepthEstimator:
    """The same estimator, but it asks the cache first. For one window, whose frames `frames_digest` names."""
    return cast("DepthEstimator", _RememberingEstimator(estimator, cache, frames_digest))


class _RememberingEstimator:
    def __init__(self, estimator: DepthEstimator, cache: DepthCache, frames_digest: bytes) -> None:
        self._estimator = estimator
        self._cache = cache
        self._frames_digest = frames_digest

    def __getattr__(self, name: str) -> Any:
        """All but `estimate` is the estimator's own."""
        return getattr(self._estimator, name)

    def estimate(self, frames: Tensor) -> Tensor:
        """As the estimator's own `estimate`, with the same bits."""
        import torch

        key = (self._estimator.name, str(frames.device), self._frames_digest)
        kept = self._cache.get(key)
        if kept is not None:
            return torch.from_numpy(kept.values.copy()).to(frames.device)
        nearness = self._estimator.estimate(frames)
        values = nearness.float().cpu().numpy().copy()
        self._cache.put(key, KeptArray.of(values), values.nbytes)
        return nearness
