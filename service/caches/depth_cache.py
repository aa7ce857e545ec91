"""⑥ Estimated depth by content: other stereo or fill settings, other layouts, other hosts never estimate it again."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, cast

from service.caches.bounded_cache import BoundedCache
from service.caches.kept_array import KeptArray

if TYPE_CHECKING:
    from torch import Tensor

    from model.depth.estimators import DepthEstimator

log = logging.getLogger(__name__)

DepthKey = tuple[str, bytes]
"""(name of the estimator, digest of the window's frames). The cache lives no longer than the versions of both."""

DepthCache = BoundedCache[DepthKey, KeptArray]


def remembering(estimator: DepthEstimator, cache: DepthCache, frames_digest: bytes) -> DepthEstimator:
    """The same estimator, but it asks the cache first. For one window, whose frames `frames_digest` names."""
    return cast("DepthEstimator", _RememberingEstimator(estimator, cache, frames_digest))


class _RememberingEstimator:
    def __init__(self, estimator: DepthEstimator, cache: DepthCache, frames_digest: bytes) -> None:
        self._estimator = estimator
        self._cache = cache
        self._key = (estimator.name, frames_digest)

    def __getattr__(self, name: str) -> Any:
        """All but `estimate` is the estimator's own."""
        return getattr(self._estimator, name)

    def estimate(self, frames: Tensor) -> Tensor:
        """As the estimator's own `estimate`, with the same bits."""
        import torch

        kept = self._cache.get(self._key)
        if kept is not None and kept.is_intact:
            return torch.from_numpy(kept.values.copy()).to(frames.device)
        if kept is not None:
            log.warning("kept depth is damaged; it is estimated again")
            self._cache.drop(self._key)
        nearness = self._estimator.estimate(frames)
        values = nearness.float().cpu().numpy().copy()
        self._cache.put(self._key, KeptArray.of(values), values.nbytes)
        return nearness
