import sys

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from model.errors import SettingsError
from model.train.run_log import RunLog


def events(folder) -> EventAccumulator:
    read = EventAccumulator(str(folder))
    read.Reload()
    return read


def test_numbers_and_pictures_are_in_the_event_file(tmp_path):
    log = RunLog(tmp_path, step=0)
    log.scalars("loss", {"pixel": 0.5, "detail": 0.25}, 50)
    log.picture(torch.zeros(8, 12, 3, dtype=torch.uint8), 50)
    log.close()
    read = events(tmp_path)
    assert [(event.step, event.value) for event in read.Scalars("loss/detail")] == [(50, 0.25)]
    shown = read.Images("preview")[0]
    assert (shown.step, shown.height, shown.width) == (50, 8, 12)
    assert (tmp_path / "preview_000050.png").exists()


def test_steps_that_a_resumed_run_repeats_count_once(tmp_path):
    first = RunLog(tmp_path, step=0)
    for step in (10, 20, 30):
        first.scalars("loss", {"pixel": 1.0}, step)
    first.close()
    resumed = RunLog(tmp_path, step=20)  # its checkpoint was of step 20
    resumed.scalars("loss", {"pixel": 2.0}, 30)
    resumed.close()
    values = {event.step: event.value for event in events(tmp_path).Scalars("loss/pixel")}
    assert values == {10: 1.0, 20: 1.0, 30: 2.0}


def test_without_tensorboard_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(SettingsError, match=r"stereo-convert\[train\]"):
        RunLog(tmp_path, step=0)
