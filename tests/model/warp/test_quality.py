"""The bars of the warp: a real pair and scenes with exact truth."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from model.warp.bench import score
from model.warp.gapw import gapw
from model.warp.rivals import monotone_inverse, plain_grid_sample, soft_splat
from model.warp.scenes import make_scene

EXAMPLES = Path(__file__).parents[3] / "examples"


def read_rgb(name: str) -> torch.Tensor:
    picture = cv2.imread(str(EXAMPLES / name), cv2.IMREAD_COLOR_RGB)
    assert picture is not None
    return torch.from_numpy(picture.astype(np.float32) / 255).permute(2, 0, 1)[None]


def psnr(view: torch.Tensor, truth: torch.Tensor, where: torch.Tensor) -> float:
    error = ((view - truth) ** 2).mean(1, keepdim=True)[where]
    return float(-10 * error.mean().log10())


def test_motorcycle_is_5_db_above_a_plain_warp_and_28_db_where_visible():
    left, right = read_rgb("motorcycle_left.png"), read_rgb("motorcycle_right.png")
    stored = cv2.imread(str(EXAMPLES / "motorcycle_disparity.png"), cv2.IMREAD_UNCHANGED)
    assert stored is not None
    disparity = torch.from_numpy(stored.astype(np.float32) / 256)[None, None]
    known = disparity > 0
    plain = psnr(plain_grid_sample(left, disparity).view, right, known)
    warp = gapw(left, torch.where(known, disparity, torch.nan))
    assert psnr(warp.view, right, known) > plain + 5
    assert psnr(warp.view, right, ~warp.disocclusion) > 28


@pytest.mark.parametrize(("thin", "lead_db", "iou"), [(False, 3, 0.97), (True, 2, 0.94)])
def test_layered_scenes_lead_monotone_inverse_and_soft_splat(thin, lead_db, iou):
    scene = make_scene(1, 320, 180, 12, thin=thin)
    image, disparity = torch.from_numpy(scene.left)[None], torch.from_numpy(scene.disparity)[None, None]
    scores = {}
    for warp in (gapw, monotone_inverse, soft_splat):
        made = warp(image, disparity)
        scores[warp.__name__] = score(scene, made.view[0].numpy(), made.disocclusion[0, 0].numpy())
    assert scores["gapw"][0] > max(scores["monotone_inverse"][0], scores["soft_splat"][0]) + lead_db
    assert scores["gapw"][2] > iou


def test_snapping_gains_10_db_on_soft_disparity():
    scene = make_scene(2, 320, 180, 12)
    image = torch.from_numpy(scene.left)[None]
    soft = torch.from_numpy(cv2.GaussianBlur(scene.disparity, (0, 0), 1.0))[None, None]
    visible = []
    for edge_fix_px in (0.0, 1.0):
        made = gapw(image, soft, edge_fix_px=edge_fix_px)
        visible.append(score(scene, made.view[0].numpy(), made.disocclusion[0, 0].numpy())[0])
    assert visible[1] > visible[0] + 10
