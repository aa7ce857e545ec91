"""⑧ Latents by content: with another number of steps a network that has an encoder (Wan) only samples again.

`lite` has none: its tokens are the pixels themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from service.caches.guarded_cache import GuardedCache
from service.caches.kept_array import KeptArray, digest_of
from service.caches.spill import Spill
from service.caches.spilled_cache import ArrayEntries

if TYPE_CHECKING:
    from torch import Tensor

LatentKey = tuple[str, str, bytes]
"""(version of the network, device, digest of what the encoder sees)"""
Encode = Callable[["Tensor"], "Tensor"]


class LatentCache(GuardedCache[LatentKey, KeptArray]):
    """What encoders made of the picture around the holes."""

    def __init__(self, max_bytes: int, spill: Spill | None = None) -> None:
        super().__init__(max_bytes, ArrayEntries("latents"), spill)


def remembering_encoder(encode: Encode, cache: LatentCache, version: str, digest_seed: int) -> Encode:
    """The same encoder, but it asks the cache first; `digest_seed` is that of all digests here."""

    def encode_or_remember(video: Tensor) -> Tensor:
        import torch

        key = (version, str(video.device), digest_of(video.cpu().numpy(), digest_seed))
        kept = cache.get(key)
        if kept is not None:
            return torch.from_numpy(kept.values.copy()).to(video.device)
        latents = encode(video)
        values = latents.float().cpu().numpy().copy()
        cache.put(key, KeptArray.of(values), values.nbytes)
        return latents

    return encode_or_remember
