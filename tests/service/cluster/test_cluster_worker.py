from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from model.errors import Cancelled
from model.settings import Settings
from service.cluster.cluster_worker import QUEUED, ClusterWorker
from service.stereo_model import WindowInput
from service.torch_model import TorchModel


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
    assert np.array_equal(worker.convert(b"a", window).images, alone.images)


def test_it_says_what_it_is_and_where_it_stands(worker, window):
    version, inventory = worker.ready()
    assert version == TorchModel().version()
    assert [entry.name for entry in inventory.inpainters] == ["lite"]
    worker.convert(b"a", window)
    assert worker.stage(b"a") == ("composite", 1.0)
    assert worker.stage(b"b") == QUEUED  # it waits behind the first


def test_cancel_stops_at_the_next_stage_and_not_the_next_window(worker, window, monkeypatch):
    convert = TorchModel.convert

    def cancelled_at_once(model, *arguments):
        worker.cancel(b"a")
        return convert(model, *arguments)

    monkeypatch.setattr(TorchModel, "convert", cancelled_at_once)
    with pytest.raises(Cancelled):
        worker.convert(b"a", window)
    monkeypatch.undo()
    assert worker.convert(b"b", window).images.shape == (1, 3, 48, 64)


def test_a_window_cancelled_while_it_waits_never_begins(worker, window, monkeypatch):
    monkeypatch.setattr(TorchModel, "convert", lambda *arguments: pytest.fail("it began"))
    worker.cancel(b"late")
    with pytest.raises(Cancelled):
        worker.convert(b"late", window)
