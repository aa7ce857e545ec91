from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from model.errors import Cancelled
from model.settings import Settings
from service.cluster.cluster_worker import ClusterWorker
from service.stereo_model import TorchModel, WindowInput


@pytest.fixture(scope="module")
def worker() -> ClusterWorker:
    """As Ray would make it, but in this process."""
    return ClusterWorker()


@pytest.fixture
def window() -> WindowInput:
    """One that nobody may write to, as the object store gives it."""
    frames = np.random.default_rng(3).random((1, 3, 48, 64), np.float32)
    frames.flags.writeable = False
    return WindowInput(frames, None, Settings(engine="stretch"), 0, (0,), "lite", "")


def test_it_gives_what_the_model_gives(worker, window):
    own = replace(window, frames=window.frames.copy())
    alone = TorchModel().convert(own, "cpu", lambda stage, fraction: None)
    assert np.array_equal(worker.convert(window).images, alone.images)


def test_it_says_what_it_is_and_where_it_stands(worker, window):
    version, inventory = worker.ready()
    assert version == TorchModel().version()
    assert [entry.name for entry in inventory.inpainters] == ["lite"]
    worker.convert(window)
    assert worker.stage() == ("composite", 1.0)


def test_cancel_stops_at_the_next_stage_and_not_the_next_window(worker, window, monkeypatch):
    convert = TorchModel.convert

    def cancelled_at_once(model, *arguments):
        worker.cancel()
        return convert(model, *arguments)

    monkeypatch.setattr(TorchModel, "convert", cancelled_at_once)
    with pytest.raises(Cancelled):
        worker.convert(window)
    monkeypatch.undo()
    assert worker.convert(window).images.shape == (1, 3, 48, 64)
