import numpy as np
import pytest
import torch

from model.data.dataset import SceneBatches, SceneRules
from model.data.mask_strategies import _splat, forward_pair, random_mask_scene
from model.data.media import Library


@pytest.fixture
def library() -> Library:
    rng = np.random.default_rng(1)
    return Library([rng.integers(0, 256, (200, 400, 3), dtype=np.uint8)], [], ("noise",))


@pytest.mark.parametrize("draw", [random_mask_scene, forward_pair])
def test_holes_show_the_truth_and_are_the_same_for_a_seed(library, draw):
    first, second = (draw(np.random.default_rng(3), library, 2, 64, 96) for _ in range(2))
    assert first.view is first.truth
    assert 0 < first.hole.mean() < 0.6
    assert np.array_equal(first.hole, second.hole)


def test_random_masks_drift(library):
    scene = random_mask_scene(np.random.default_rng(8), library, 2, 64, 96)
    assert not np.array_equal(scene.hole[0], scene.hole[1])


def test_the_nearer_of_two_pixels_that_land_on_one_place_wins():
    values = np.array([[[0.0, 2.0, 0.0, 0.0, 0.0]]])
    moved, seen = _splat(values, values, np.ones(values.shape, bool))
    np.testing.assert_array_equal(moved, [[[0, 0, 0, 2, 0]]])
    np.testing.assert_array_equal(seen, [[[True, False, True, True, True]]])


def test_a_near_block_hides_what_lies_on_its_right_there_and_back(library, monkeypatch):
    disparity = np.zeros((1, 4, 20), np.float32)
    disparity[:, :, 5:9] = 3
    truth = np.zeros((1, 4, 20, 3), np.float32)
    none = np.zeros(disparity.shape, bool)
    scene = type("Drawn", (), {"truth": truth, "disparity": disparity, "hole": none})
    monkeypatch.setattr("model.data.mask_strategies.layered_scene", lambda *_: scene)
    hole = forward_pair(np.random.default_rng(0), library, 1, 4, 20).hole
    # columns 5..8 land on 8..11 and hide what was there: 9, 10 and 11 of the background never come back
    assert hole[0, 0].nonzero()[0].tolist() == [9, 10, 11]


def test_shares_choose_the_strategy(library):
    rules = SceneRules(frames=1, height=32, width=64, batch=1, projection_share=0.0, random_share=1.0)
    batch = SceneBatches(library, rules, seed=5)[0]
    # outside random masks the drawn view is shown as it is; inside, push-pull
    assert torch.equal(
        batch.conditions.known.where(~batch.conditions.hole, 0), batch.truth.where(~batch.conditions.hole, 0)
    )
    other = SceneBatches(library, SceneRules(frames=1, height=32, width=64, batch=1, forward_share=0.8), seed=5)[0]
    assert not torch.equal(other.conditions.hole, batch.conditions.hole)
