import cv2
import numpy as np
import pytest
import torch

from model.depth.draft import Draft
from model.depth.motion import find_flow
from model.depth.occlusion import outlines_stay
from model.depth.parallax import moving

HEIGHT, WIDTH, FRAMES, MIDDLE = 180, 320, 5, 2


@pytest.fixture
def two_surfaces(textured):
    """Builder of clips of two surfaces that a camera passes sideways: (gap=True/False, seed) -> frames, mask.

    The surfaces move by 5 and 1 px a frame. With a gap the faster one, so the nearer, fills the frame and the slower
    one is seen through a square in it; else the faster one is a square before the slower one. mask (T, H, W) is the
    square.
    """

    def build(gap, seed=0):
        around, inside = textured(2 * seed + 5, HEIGHT, 720), textured(2 * seed + 6, HEIGHT, 720)
        fast, slow = 5, 1
        frames, masks = [], []
        for t in range(FRAMES):
            start = 100 + (fast if gap else slow) * t
            frame, mask = around[..., start : start + WIDTH].clone(), torch.zeros(HEIGHT, WIDTH, dtype=torch.bool)
            left = 200 - fast * t
            from_ = 100 + slow * t + left if gap else 100
            frame[:, 50:130, left : left + 90] = inside[:, 50:130, from_ : from_ + 90]
            mask[50:130, left : left + 90] = True
            frames.append(frame)
            masks.append(mask)
        return torch.stack(frames), torch.stack(masks).numpy()

    return build


@pytest.mark.parametrize("seed", range(4))
def test_a_gap_keeps_its_outline_and_an_object_takes_it_along(two_surfaces, grey_of, seed):
    def opinion_of(gap):
        frames, mask = two_surfaces(gap, seed)
        grey = grey_of(frames)
        flow = find_flow(np.rint(grey * 255).astype(np.uint8), cuts=())
        opinion, weight = outlines_stay([moving(grey, flow, t) for t in range(FRAMES)], MIDDLE)
        rim = cv2.dilate(mask[MIDDLE].astype(np.uint8), np.ones((9, 9))) > 0
        return np.average(opinion[rim], weights=weight[rim])

    assert opinion_of(gap=True) > 0.07
    assert opinion_of(gap=False) < -0.1


@pytest.mark.parametrize("seed", range(2))
def test_what_shows_through_a_gap_does_not_come_near_when_the_camera_passes(two_surfaces, seed):
    def stands_out(gap):
        frames, mask = two_surfaces(gap, seed)
        nearness, inside = Draft().estimate(frames)[MIDDLE, 0].numpy()[60:120], mask[MIDDLE, 60:120]
        return nearness[inside].mean() - nearness[~inside].mean()

    assert stands_out(gap=False) > 0.3
    assert stands_out(gap=True) < 0.15


def test_without_neighbours_there_is_no_opinion(textured, grey_of):
    grey = grey_of(textured(1, 60, 90)[None])
    found = [moving(grey, find_flow(np.zeros((1, 60, 90), np.uint8), cuts=()), 0)]
    opinion, weight = outlines_stay(found, 0)
    assert np.abs(opinion).max() == 0
    assert weight.min() > 0
