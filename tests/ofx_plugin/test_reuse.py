"""What a setting does not change is never computed or sent again: depth is found once for all looks of a window."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from service.caches.model_caches import CacheSizes, ModelCaches
from service.torch_model import TorchModel
from tests.ofx_host import ArrayClip
from tests.ofx_host.render_orders import moving_frames
from tests.ofx_plugin.formula_service import ServiceThread

pytestmark = pytest.mark.host

LOOKS = {"disparity": 4.0, "convergence": 0.2, "dilation": "9", "output": "Anaglyph grey"}


@pytest.fixture
def service(runtime_dir):
    real_model: Any = TorchModel(ModelCaches(CacheSizes(depth_bytes=16 << 20)))
    thread = ServiceThread(runtime_dir, real_model)
    yield thread
    thread.stop()


@pytest.fixture
def effect(make_effect, service):
    effect = make_effect("natron", service.address, engine="Stretch background")
    effect.set_clip("Source", ArrayClip(moving_frames(20, (32, 48))))
    return effect


def test_no_look_of_a_window_estimates_its_depth_again(effect, service):
    pictures = [effect.render(4)]
    depth = service.model.caches()["depth"]
    assert (depth.hits, depth.misses) == (0, 1)
    for name, value in LOOKS.items():
        effect.set(name, value)
        pictures.append(effect.render(4))
    assert (depth.hits, depth.misses) == (len(LOOKS), 1)
    assert service.bytes_by_chunks == 0, "and no frame was sent again"
    assert len({picture.tobytes() for picture in pictures}) == len(LOOKS), (
        "dilation changes nothing without the network"
    )


def test_a_preview_has_depth_of_its_own_once(effect, service):
    first = effect.render(4, interactive=True)
    effect.set("disparity", 4.0)
    effect.render(4, interactive=True)
    effect.render(4)
    effect.set("disparity", 2.5)
    np.testing.assert_array_equal(effect.render(4, interactive=True), first)
    depth = service.model.caches()["depth"]
    assert depth.misses == 2, "one for the frame alone, one for the window"
