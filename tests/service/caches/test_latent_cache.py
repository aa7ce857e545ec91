from __future__ import annotations

import numpy as np
import pytest
import torch

from model.settings import Settings
from service.caches.latent_cache import LatentCache, remembering_encoder
from service.caches.model_caches import CacheSizes, ModelCaches
from service.stereo_model import WindowInput
from service.torch_model import TorchModel

MIB = 1 << 20
VIDEO = torch.linspace(-1, 2, 2 * 4 * 3 * 5).reshape(2, 4, 3, 5)


class Encoder:
    """Triples, and counts how often."""

    calls = 0

    def __call__(self, video: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        return video * 3


def test_latents_are_encoded_once_and_equal():
    encode = Encoder()
    remembering = remembering_encoder(encode, LatentCache(MIB), "v", 1)
    assert torch.equal(remembering(VIDEO), remembering(VIDEO))
    assert torch.equal(remembering(VIDEO + 1), (VIDEO + 1) * 3)
    assert encode.calls == 2


def test_damaged_latents_are_encoded_again(caplog):
    encode, cache = Encoder(), LatentCache(MIB)
    remembering = remembering_encoder(encode, cache, "v", 1)
    remembering(VIDEO)
    (kept, _), *_ = cache._entries.values()
    kept.values.flags.writeable = True
    kept.values[0] += 1.0
    assert torch.equal(remembering(VIDEO), VIDEO * 3)
    assert encode.calls == 2
    assert "something kept in the cache latents is damaged" in caplog.text


def window(steps: int) -> WindowInput:
    frames = np.random.default_rng(0).random((1, 3, 48, 64), np.float32)
    depth = np.zeros((1, 1, 48, 64), np.float32)
    depth[..., 16:32, 20:40] = 1
    asked = Settings(window=1, depth_source="clip", disparity=10.0, steps=steps)
    return WindowInput(frames, depth, asked, 0, (0,), "wan", "", frames_digest=b"f", depth_digest=b"d")


def test_other_steps_of_wan_run_no_encoder_and_are_equal(tmp_path, monkeypatch):
    pytest.importorskip("diffusers")
    from service.models.fill_install import add_fill
    from service.models.model_install import Terms
    from tests.wan_models import save_member

    monkeypatch.setenv("STEREO_CONVERT_MODELS", str(tmp_path / "store"))
    from model.sasi.fill_store import FillStore

    add_fill(FillStore(tmp_path / "store"), "wan", save_member(tmp_path / "wan"), Terms(license="Apache-2.0"))
    model, plain = TorchModel(ModelCaches(CacheSizes(0, 16 * MIB, 16 * MIB))), TorchModel()
    one, two = (window(steps) for steps in (1, 2))
    model.convert(one, "cpu", lambda *_: None)
    found, expected = (each.convert(two, "cpu", lambda *_: None) for each in (model, plain))
    assert np.array_equal(found.images, expected.images)
    latents = model.caches()["latents"]
    assert (latents.misses, latents.hits) == (1, 1)
