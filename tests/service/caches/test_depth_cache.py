from __future__ import annotations

import pytest
import torch

from service.caches.depth_cache import DepthCache, remembering


class Counting:
    """Estimates the red channel, and counts how often."""

    license = detail = "none"
    normalised = steady = True

    def __init__(self, name: str = "counting") -> None:
        self.name = name
        self.calls = 0

    def estimate(self, frames: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        return frames[:, :1] * 0.5


FRAMES = torch.linspace(-1.0, 2.0, 2 * 3 * 4 * 5).reshape(2, 3, 4, 5)


@pytest.fixture
def cache() -> DepthCache:
    return DepthCache(1 << 20)


def estimate(estimator: Counting, cache: DepthCache, digest: bytes = b"window") -> torch.Tensor:
    return remembering(estimator, cache, digest).estimate(FRAMES)


def test_the_second_time_costs_nothing_and_gives_equal_bits(cache):
    estimator = Counting()
    assert torch.equal(estimate(estimator, cache), estimate(estimator, cache))
    assert torch.equal(estimate(estimator, cache), FRAMES[:, :1] * 0.5)
    assert estimator.calls == 1


def test_other_frames_and_other_estimators_are_others(cache):
    estimator, other = Counting(), Counting("other")
    estimate(estimator, cache)
    estimate(estimator, cache, b"other window")
    estimate(other, cache)
    assert (estimator.calls, other.calls) == (2, 1)


def test_who_writes_to_the_depth_does_not_write_to_the_cache(cache):
    estimator = Counting()
    for _ in range(3):
        estimate(estimator, cache).zero_()
    assert torch.equal(estimate(estimator, cache), FRAMES[:, :1] * 0.5)


def test_damaged_depth_is_estimated_again(cache):
    estimator = Counting()
    estimate(estimator, cache)
    kept = cache.get(("counting", "cpu", b"window"))
    assert kept is not None
    kept.values.flags.writeable = True
    kept.values[0, 0, 0, 0] += 1.0
    assert torch.equal(estimate(estimator, cache), FRAMES[:, :1] * 0.5)
    assert estimator.calls == 2


def test_it_looks_like_the_estimator_it_wraps(cache):
    wrapped = remembering(Counting(), cache, b"")
    assert (wrapped.name, wrapped.license, wrapped.detail, wrapped.normalised) == ("counting", "none", "none", True)
