import pytest
import torch

import model
from model.depth.flicker import before_and_after, flicker_px, main, still_with_noise
from model.depth.stabilise import stabilised


class Flickering:
    """A learned estimator's stand-in: a slope, and errors that are new in each frame."""

    name, license, detail, normalised, steady = "Flickering", "MIT", "a slope with noise", False, False

    def estimate(self, frames):
        generator = torch.Generator().manual_seed(1)
        height, width = frames.shape[-2] // 2, frames.shape[-1] // 2
        slope = torch.linspace(0, 10, width).expand(len(frames), 1, height, width)
        return slope + torch.randn(slope.shape, generator=generator)


@pytest.fixture
def still(textured):
    return still_with_noise(textured(1, 60, 96), 11)


def test_no_rounds_change_nothing(still):
    depth = Flickering().estimate(still)
    assert torch.equal(stabilised(depth, still, rounds=0), depth)


def test_the_noise_of_a_still_scene_falls_to_a_third_and_its_depth_stays(still):
    depth = Flickering().estimate(still)
    steadied = stabilised(depth, still)
    assert steadied[4:7].diff(dim=0).abs().mean() < depth[4:7].diff(dim=0).abs().mean() / 3
    assert (steadied[5].mean(dim=1) - torch.linspace(0, 10, 48)).abs().max() < 1


def test_estimators_that_are_not_steady_are_steadied_on_the_way_to_disparity(still):
    estimator, settings = Flickering(), model.Settings(engine="none", threshold=4.0)
    disparity = model.convert(still, None, settings, estimator=estimator).disparity[4:7]
    estimator.steady = True
    raw = model.convert(still, None, settings, estimator=estimator).disparity[4:7]
    assert disparity.diff(dim=0).abs().mean() < raw.diff(dim=0).abs().mean() / 2


def test_flicker_is_the_change_of_disparity_along_the_flow(textured):
    frames = textured(1, 60, 96).expand(9, 3, 60, 96)
    nearness = torch.zeros(9, 1, 60, 96)
    nearness[::2] = 0.5
    # every frame differs by half of 2.5 % of 1280 px
    assert flicker_px(nearness, frames) == pytest.approx(16, rel=1e-3)
    assert flicker_px(nearness * 0 + 0.5, frames) == 0


def test_steadying_shows_in_the_figures(still):
    before, after = before_and_after(Flickering(), still)
    assert 0 < after < before / 3


def test_a_clip_that_is_too_short_is_refused(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["flicker", str(tmp_path / "none.mp4")])
    assert main() == 2
    assert "expected 17 frames" in capsys.readouterr().err
