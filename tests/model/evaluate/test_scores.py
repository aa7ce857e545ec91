import math

import pytest
import torch

from model.evaluate.scores import Score, score_fills, ssim
from model.evaluate.windows import Window
from model.train.lpips import Lpips


def shifted(by: float):
    return lambda window: window.truth + by


def score_of(fill, windows, lpips) -> Score:
    return score_fills({"fill": fill}, windows, lpips)["fill"]


def test_a_constant_error_is_scored_by_hand(window):
    score = score_of(shifted(0.1), [window], None)
    # only the hole, 200 of 6144 pixels, is taken from the fill
    assert score.mean("hole.psnr") == pytest.approx(20, abs=1e-3)
    assert score.mean("psnr") == pytest.approx(-10 * math.log10(0.01 * 200 / 6144), abs=1e-3)
    assert math.isnan(score.mean("hole.edge_psnr"))
    assert math.isnan(score.mean("hole.lpips"))


def test_media_count_alike_however_many_windows_they_have(window):
    other = Window("other", window.view, window.truth + 0.05, window.hole, window.edge, window.disparity)
    fill = shifted(0.1)
    score = score_of(lambda one: fill(window) if one is window else one.truth + 0.01, [window, other, other], None)
    assert score.media["other"].hole.psnr == pytest.approx(40, abs=0.01)
    assert score.mean("hole.psnr") == pytest.approx(30, abs=0.01)
    base = score_of(fill, [window, other], None)
    assert score.gains(base) == pytest.approx({"grey": 0, "other": 20}, abs=0.01)


def test_lpips_is_of_the_whole_middle_frame(window):
    torch.manual_seed(0)
    lpips = Lpips().eval().requires_grad_(False)
    for head in lpips.heads:
        head.fill_(1.0)
    exact, wrong = (score_of(shifted(by), [window], lpips).mean("hole.lpips") for by in (0.0, 0.3))
    assert exact == 0
    assert wrong > 0


def test_ssim_is_one_for_equal_pictures_and_less_for_noise():
    picture = torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(1))
    assert ssim(picture, picture) == pytest.approx(1)
    assert ssim(picture, picture.flip(-1)) < 0.5


def test_ssim_of_flat_pictures_is_the_luminance_term():
    # no variance: (2·0.5·0.6 + c1) / (0.5² + 0.6² + c1)
    expected = (0.6 + 1e-4) / (0.25 + 0.36 + 1e-4)
    assert ssim(torch.full((3, 16, 16), 0.5), torch.full((3, 16, 16), 0.6)) == pytest.approx(expected)
