"""An array that a cache keeps, with a hash that shows whether it is still what was put there."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import numpy as np
import xxhash

SEED_OF_THIS_PROCESS = secrets.randbits(64)
"""Of this process: who cannot know it cannot make two windows with one hash."""


def digest_of(array: np.ndarray, seed: int = SEED_OF_THIS_PROCESS) -> bytes:
    """16 bytes that name shape and values; never the same in two processes, unless they share a secret `seed`."""
    digest = xxhash.xxh3_128(repr((array.dtype.str, array.shape)).encode(), seed=seed)
    digest.update(np.ascontiguousarray(array).data)
    return digest.digest()


@dataclass(frozen=True)
class KeptArray:
    """Hash and values."""

    values: np.ndarray
    digest: bytes

    @classmethod
    def of(cls, values: np.ndarray) -> KeptArray:
        """Keep `values`; nobody may write to them from now on."""
        values.flags.writeable = False
        return cls(values, digest_of(values))

    @property
    def is_intact(self) -> bool:
        """Whether the values are still those that were kept."""
        return digest_of(self.values) == self.digest
