from __future__ import annotations

import pytest

from model.errors import InvalidInputError
from service.caches.frame_cache import FrameCache

A, B, C = ((b"session", name) for name in (b"a", b"b", b"c"))


def test_a_frame_is_found_under_its_key():
    cache = FrameCache(100)
    cache.put_frame(A, b"pixels")
    assert cache.get_sized(A, 6) == b"pixels"


def test_another_session_does_not_see_it():
    cache = FrameCache(100)
    cache.put_frame(A, b"pixels")
    assert cache.get_sized((b"other", b"a"), 6) is None


def test_a_key_with_two_sizes_is_refused():
    cache = FrameCache(100)
    cache.put_frame(A, b"pixels")
    with pytest.raises(InvalidInputError, match="7 bytes now and one of 6 before"):
        cache.get_sized(A, 7)


def test_the_least_recently_used_leaves_first_and_the_bound_holds():
    cache = FrameCache(10)
    cache.put_frame(A, bytes(4))
    cache.put_frame(B, bytes(4))
    cache.get_sized(A, 4)
    cache.put_frame(C, bytes(4))
    assert cache.get_sized(B, 4) is None
    assert cache.get_sized(A, 4) == cache.get_sized(C, 4) == bytes(4)
    assert cache.used_bytes == 8


def test_the_first_frame_under_a_key_stays():
    cache = FrameCache(100)
    cache.put_frame(A, b"first")
    cache.put_frame(A, b"other")
    assert cache.get_sized(A, 5) == b"first"
    assert cache.used_bytes == 5


def test_a_frame_larger_than_the_cache_is_not_kept():
    cache = FrameCache(10)
    cache.put_frame(A, bytes(11))
    assert cache.used_bytes == 0
