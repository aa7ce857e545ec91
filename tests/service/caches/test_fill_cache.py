"""A fill is remembered for all that comes after it, and gives equal bits."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch

from model.sasi.inpainter import Fill
from model.settings import FLOATING_WINDOWS, OUTPUTS, Settings
from service.caches.fill_cache import FillCache, remembering_fill, settings_of_fill
from service.caches.kept_array import KeptArray
from service.caches.model_caches import CacheSizes, ModelCaches
from service.stereo_model import WindowInput
from service.torch_model import TorchModel

MIB = 1 << 20
VIEW = torch.linspace(-1, 2, 2 * 4 * 3 * 5).reshape(2, 4, 3, 5)
HOLE = torch.zeros(2, 1, 3, 5, dtype=torch.bool)


class Painter:
    """Writes 0.25 into one column and -0.0 over a 0.0; counts."""

    version, name, calls = "7", "painter", 0

    def fill(self, view, hole, disparity, **rules):
        self.calls += 1
        filled = view.clone()
        filled[:, :3, :, 2] = 0.25
        filled[0, 0, 0, 0] = -0.0
        return Fill(filled, 1 / 3)


def test_the_second_fill_costs_nothing_and_gives_equal_bits():
    painter, cache = Painter(), FillCache(MIB)
    view = VIEW.clone()
    view[0, 0, 0, 0] = 0.0
    first, second = (remembering_fill(painter, cache, ("k",)).fill(view, HOLE, HOLE.float()) for _ in range(2))  # type: ignore[arg-type]
    assert painter.calls == 1
    assert torch.equal(first.view.view(torch.int32), second.view.view(torch.int32)), "0.0 is not -0.0"
    assert first.retention == second.retention == 1 / 3
    assert cache.used_bytes < VIEW.numel() * 4 / 2, "only what changed is kept"
    remembering_fill(painter, cache, ("other",)).fill(view, HOLE, HOLE.float())  # type: ignore[arg-type]
    assert painter.calls == 2


def test_a_damaged_fill_is_computed_again():
    painter, cache = Painter(), FillCache(MIB)
    first = remembering_fill(painter, cache, ("k",)).fill(VIEW, HOLE, HOLE.float())  # type: ignore[arg-type]
    kept = cache.get(("7", "k"))
    assert kept is not None
    kept.values = KeptArray(kept.values.values + 1, kept.values.digest)
    again = remembering_fill(painter, cache, ("k",)).fill(VIEW, HOLE, HOLE.float())  # type: ignore[arg-type]
    assert torch.equal(first.view, again.view)
    assert painter.calls == 2


def test_every_setting_but_those_after_the_fill_has_a_fill_of_its_own():
    after = {"output", "floating_window", "floating_window_width"}
    for field in dataclasses.fields(Settings):
        changed = _other(field.name)
        assert (settings_of_fill(changed) == settings_of_fill(Settings())) == (field.name in after), field.name


def _other(name: str) -> Settings:
    """Settings that differ from the default in this field."""
    for value in ("left", "clip", "white-far", "manual", "both", "none", False, 1, 7, 10, 0.25, 2.25, 640):
        try:
            changed = dataclasses.replace(Settings(), **{name: value})
        except ValueError:
            continue
        if changed != Settings():
            return changed
    raise AssertionError(f"no other value is known for {name}; add one")


def window(**settings) -> WindowInput:
    frames = np.random.default_rng(0).random((1, 3, 48, 64), np.float32)
    depth = np.zeros((1, 1, 48, 64), np.float32)
    depth[..., 16:32, 20:40] = 1
    asked = Settings(window=1, depth_source="clip", disparity=10.0, **settings)
    return WindowInput(frames, depth, asked, 0, (0,), "lite", "", frames_digest=b"f", depth_digest=b"d")


def test_other_outputs_of_a_shot_run_no_fill_network_and_are_equal(monkeypatch):
    painter = Painter()
    monkeypatch.setattr(TorchModel, "_inpainter", lambda self, name, device: painter)
    model, plain = TorchModel(ModelCaches(CacheSizes(0, 16 * MIB, 0))), TorchModel()
    changes = [{"output": output} for output in OUTPUTS] + [{"floating_window": kind} for kind in FLOATING_WINDOWS]
    for change in changes:
        found, expected = (each.convert(window(**change), "cpu", lambda *_: None) for each in (model, plain))
        assert np.array_equal(found.images, expected.images), change
    fills = model.caches()["fills"]
    assert (fills.misses, fills.hits, painter.calls) == (1, len(changes) - 1, 1 + len(changes))


def test_the_shipped_networks_fill_is_remembered_to_the_bit():
    model = TorchModel(ModelCaches(CacheSizes(0, 16 * MIB, 0)))
    first, again = (model.convert(window(), "cpu", lambda *_: None) for _ in range(2))
    assert np.array_equal(first.images, again.images)
    assert first.retention == again.retention > 0
    assert model.caches()["fills"].hits == 1
