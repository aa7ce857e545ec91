"""All that one model remembers between windows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from service.caches.bounded_cache import BoundedCache
from service.caches.depth_cache import DepthCache
from service.caches.fill_cache import FillCache
from service.caches.kept_array import SEED_OF_THIS_PROCESS
from service.caches.latent_cache import LatentCache
from service.caches.spill import Spill


@dataclass(frozen=True)
class CacheSizes:
    """Memory of each cache; 0: none."""

    depth_bytes: int = 0
    fill_bytes: int = 0
    latent_bytes: int = 0


NOTHING_KEPT = CacheSizes()


class ModelCaches:
    """Depth, fills and latents; without sizes nothing is remembered."""

    def __init__(self, sizes: CacheSizes = NOTHING_KEPT, spill: Spill | None = None) -> None:
        self.depth = DepthCache(sizes.depth_bytes, spill)
        self.fills = FillCache(sizes.fill_bytes, spill)
        self.latents = LatentCache(sizes.latent_bytes, spill)
        self.digest_seed = SEED_OF_THIS_PROCESS if spill is None else spill.digest_seed

    def by_name(self) -> Mapping[str, BoundedCache]:
        """As metrics name them."""
        return {"depth": self.depth, "fills": self.fills, "latents": self.latents}
