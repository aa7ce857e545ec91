"""Which model serve and render open."""

from __future__ import annotations

import pytest

from model.errors import InvalidInputError
from service.caches.model_caches import CacheSizes
from service.chosen_model import chosen_model
from service.torch_model import TorchModel


def test_without_a_cluster_it_is_ours_with_its_caches():
    with chosen_model(None, CacheSizes(depth_bytes=1)) as model:
        assert isinstance(model, TorchModel)
        assert {name: cache.is_on for name, cache in model.caches().items()} == {
            "depth": True,
            "fills": False,
            "latents": False,
        }


def test_a_cluster_without_ray_says_what_to_install(monkeypatch):
    monkeypatch.setattr("service.chosen_model.find_spec", lambda name: None)
    with pytest.raises(InvalidInputError, match=r"pip install 'stereo-convert\[cluster\]'"), chosen_model("auto"):
        pass
