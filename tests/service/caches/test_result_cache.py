from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from model.settings import Settings
from service.caches.result_cache import ResultCache
from service.stereo_model import WindowInput, WindowOutput

WINDOW = WindowInput(
    frames=np.zeros((1, 3, 2, 2), np.float32),
    depth=None,
    settings=Settings(),
    first_frame=0,
    wanted=(0,),
    inpainter="lite",
    depth_estimator="",
    frames_digest=b"frames",
)


def output() -> WindowOutput:
    return WindowOutput(np.ones((1, 3, 2, 2), np.float32), "Draft", {"warp": 1.0}, 0.5, 0.1, (-1.0, 1.0), ("mind",))


@pytest.fixture
def cache() -> ResultCache:
    kept = ResultCache(1 << 20)
    kept.keep(WINDOW, "cpu", output())
    return kept


def test_an_equal_window_is_found_and_took_no_time(cache):
    found = cache.find(WINDOW, "cpu")
    assert np.array_equal(found.images, output().images)
    assert (found.stage_times, found.retention, found.warnings) == ({}, 0.5, ("mind",))


@pytest.mark.parametrize(
    "other",
    [
        replace(WINDOW, frames_digest=b"others"),
        replace(WINDOW, depth_digest=b"depth"),
        replace(WINDOW, settings=Settings(disparity=3.0)),
        replace(WINDOW, first_frame=1),
        replace(WINDOW, wanted=(0, 0)),
        replace(WINDOW, inpainter="heavy"),
        replace(WINDOW, depth_estimator="Draft"),
        replace(WINDOW, also=("mask",)),
    ],
    ids=lambda other: next(name for name in vars(WINDOW) if getattr(other, name) is not getattr(WINDOW, name)),
)
def test_whatever_differs_makes_another_window(cache, other):
    assert cache.find(other, "cpu") is None


def test_another_device_may_round_otherwise(cache):
    assert cache.find(WINDOW, "cuda:0") is None


def test_a_damaged_result_is_not_given_out(cache):
    images = cache.find(WINDOW, "cpu").images
    images.flags.writeable = True
    images[0, 0, 0, 0] = 7.0
    assert cache.find(WINDOW, "cpu") is None
    assert cache.used_bytes == 0
