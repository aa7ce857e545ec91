"""The real model behind the seam: the service adds nothing to its pixels."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import model
from model.errors import InvalidInputError, WeightsError
from model.layout import compose
from model.settings import Settings
from service.errors import StereoError
from service.stereo_model import WindowInput
from service.torch_model import TorchModel

STRETCH = Settings(engine="stretch", depth_source="clip", disparity=8, window=1)


def window(settings: Settings = STRETCH, frames: int = 3, **fields) -> WindowInput:
    colours = np.random.default_rng(3).random((frames, 12, 32, 4), np.float32)
    depth = np.zeros((frames, 1, 12, 32), np.float32)
    depth[..., 10:18] = 1.0  # a near post
    return WindowInput(
        frames=colours.transpose(0, 3, 1, 2),
        depth=depth if settings.depth_source == "clip" else None,
        settings=settings,
        first_frame=0,
        wanted=fields.pop("wanted", (2, 0)),
        inpainter=fields.pop("inpainter", "lite"),
        depth_estimator=fields.pop("depth_estimator", ""),
    )


def converted(asked: WindowInput):
    return TorchModel().convert(asked, "cpu", lambda stage, fraction: None)


def test_pixels_are_those_of_the_model_for_the_wanted_frames():
    asked = window()
    output = converted(asked)
    direct = model.convert(torch.from_numpy(asked.frames.copy()), torch.from_numpy(asked.depth), STRETCH)
    expected = compose("right", direct)[[2, 0]].numpy()
    assert np.array_equal(output.images, expected)
    assert not np.array_equal(output.images, asked.frames[[2, 0]]), "something was warped"


def test_the_figures_are_those_of_the_model():
    output = converted(window())
    assert 0 < output.disoccluded < 0.5
    assert output.parallax[0] < output.parallax[1]
    assert {"depth", "warp"} <= set(output.stage_times)
    assert output.depth_estimator == ""


def test_what_progress_raises_passes_through():
    def stop(stage: str, fraction: float) -> None:
        raise StereoError("enough")

    with pytest.raises(StereoError, match="enough"):
        TorchModel().convert(window(), "cpu", stop)


@pytest.mark.parametrize("name", ["nobody", "../lite", "/etc/passwd", "pyproject.toml"])
def test_only_shipped_weights_are_loaded_by_name(name):
    with pytest.raises(WeightsError, match="this service has"):
        converted(window(Settings(window=1), inpainter=name))


def test_an_unknown_estimator_is_refused():
    with pytest.raises(InvalidInputError, match="nobody"):
        converted(window(Settings(engine="stretch", window=1), depth_estimator="nobody"))


def test_the_inventory_is_whole_after_loading():
    real = TorchModel()
    assert [entry.available for entry in real.inventory().inpainters] == [False]
    real.load("cpu")
    assert [(entry.name, entry.available) for entry in real.inventory().inpainters] == [("lite", True)]
    assert "Draft" in [entry.name for entry in real.inventory().depth_estimators]
