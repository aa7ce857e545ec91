"""The copy of whole frames, of sizes and places that no vector fits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.wire import _pixel_copy
from service.wire.pixel_copy import copy_pixels

STREAMED = 1 << 20  # kStreamFromBytes of streaming_copy.h


@given(
    size=st.one_of(st.integers(0, 300), st.integers(STREAMED - 70, STREAMED + 200)),
    target_at=st.integers(0, 70),
    source_at=st.integers(0, 70),
)
def test_every_byte_is_copied_and_none_beside(size, target_at, source_at):
    source = np.random.default_rng(size).integers(1, 255, source_at + size, np.uint8)
    target = np.zeros(target_at + size + 70, np.uint8)
    copy_pixels(target[target_at : target_at + size], source[source_at:])
    assert np.array_equal(target[target_at : target_at + size], source[source_at:])
    assert not target[:target_at].any() and not target[target_at + size :].any()


@pytest.mark.parametrize("sizes", [(5, 4), (4, 5), (2 * STREAMED, STREAMED)])
def test_other_sizes_are_refused(sizes):
    target, source = (np.zeros(size, np.uint8) for size in sizes)
    with pytest.raises(ValueError):
        copy_pixels(target, source)


def test_gaps_and_read_only_targets_are_refused():
    with pytest.raises(ValueError, match="contiguous"):
        _pixel_copy.copy(np.zeros(8, np.uint8)[::2], np.zeros(4, np.uint8))
    fixed = np.zeros(4, np.uint8)
    fixed.flags.writeable = False
    with pytest.raises((BufferError, ValueError)):
        _pixel_copy.copy(fixed, np.zeros(4, np.uint8))
