from __future__ import annotations

import numpy as np
import pytest

from service.caches.kept_array import KeptArray, digest_of


def test_a_digest_names_values_shape_and_type():
    values = np.arange(6, dtype=np.float32)
    digests = {
        digest_of(values),
        digest_of(values.reshape(2, 3)),
        digest_of(values.view(np.uint32)),
        digest_of(values + 1),
    }
    assert len(digests) == 4
    assert digest_of(values) == digest_of(values.copy())


def test_the_order_in_memory_does_not_matter():
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert digest_of(values) == digest_of(np.asfortranarray(values))


def test_what_is_kept_cannot_be_written_to():
    kept = KeptArray.of(np.zeros(3, np.float32))
    with pytest.raises(ValueError, match="read-only"):
        kept.values[0] = 1.0


def test_damage_shows():
    kept = KeptArray.of(np.zeros(3, np.float32))
    assert kept.is_intact
    kept.values.flags.writeable = True
    kept.values.view(np.uint8)[5] ^= 1
    assert not kept.is_intact
