import numpy as np
import torch

from model.depth.motion import find_flow
from model.depth.parallax import moving


def found_in(grey, t=4):
    return moving(grey, find_flow(np.rint(grey * 255).astype(np.uint8), cuts=()), t)


def test_a_walker_moves_and_the_panned_background_does_not(walker, grey_of):
    frames, mask = walker
    found = found_in(grey_of(frames))
    inside, outside = mask[4].numpy(), ~mask[4].numpy()
    outside[:, :8] = outside[:, -8:] = False  # the pan brings these in
    assert np.average(found.evidence[inside], weights=found.weight[inside]) > 0.6
    assert np.average(found.evidence[outside], weights=found.weight[outside]) < 0.05


def test_a_pan_alone_is_no_evidence(textured, grey_of):
    wide = textured(3, 90, 200)
    grey = grey_of(torch.stack([wide[..., 2 * t : 2 * t + 160] for t in range(9)]))
    found = found_in(grey)
    assert np.average(found.evidence[:, 8:-8], weights=found.weight[:, 8:-8]) < 0.02


def test_plain_areas_weigh_little():
    grey = np.full((9, 60, 90), 0.5, np.float32)
    found = found_in(grey)
    assert found.weight.max() < 0.25
    assert found.evidence.max() == 0


def test_without_flow_there_is_no_evidence():
    found = found_in(np.random.default_rng(0).random((1, 60, 90), dtype=np.float32), t=0)
    assert found.evidence.max() == found.outline.max() == 0
    assert found.weight.min() > 0
