"""Scenes drawn over made-up media; what a hole is follows from the sign of disparity."""

import numpy as np
import pytest
import torch

from model.data import layered_scenes
from model.data.dataset import SceneBatches, SceneRules, make_batch
from model.data.layered_scenes import MARGIN_PX, Scene, layered_scene
from model.data.media import Library
from model.data.projection_pairs import projection_pair
from model.warp.gapw import gapw


@pytest.fixture(scope="module")
def library() -> Library:
    rng = np.random.default_rng(1)
    noise = [rng.integers(0, 256, (200, 500, 3), dtype=np.uint8) for _ in range(14)]
    return Library(photos=noise[:2], clips=[noise[2:]], names=())


def one_object(gap: int, height: int = 32, width: int = 96) -> Scene:
    """A white bar at columns 40..47 of the right view over a ramp, without any misjudgement."""
    wide = width + 2 * MARGIN_PX
    ramp = np.broadcast_to(np.linspace(0, 0.5, wide, dtype=np.float32)[None, None, :, None], (1, height, wide, 3))
    coverage = np.zeros((1, height, wide), np.float32)
    coverage[:, :, MARGIN_PX + 40 : MARGIN_PX + 48] = 1
    bar = layered_scenes._Object(np.ones_like(ramp), coverage, coverage > 0.5, gap)
    rng = _NeverGrow()
    seen = layered_scenes._seen_from_the_right(rng, np.array(ramp), [bar])  # type: ignore[arg-type]
    cut = slice(MARGIN_PX, MARGIN_PX + width)
    return Scene(*(array[:, :, cut] for array in (seen.view, seen.truth, seen.hole, seen.edge, seen.disparity)))


class _NeverGrow:
    def random(self) -> float:
        return 1.0


@pytest.mark.parametrize("gap", [3, 8, 15])
def test_the_hole_is_a_strip_on_the_right_of_the_object(gap):
    hole = one_object(gap).hole[0, 5].nonzero()[0].tolist()
    # the left eye sees the bar at 40 + gap .. 47 + gap; what it covers there and the bar does not cover here is hidden
    assert hole == list(range(max(48, 40 + gap), 48 + gap))


@pytest.mark.parametrize("gap", [3, 8, 15])
def test_the_hole_and_the_view_are_those_of_gapw(gap):
    scene = one_object(gap)
    left = torch.from_numpy(scene.truth.transpose(0, 3, 1, 2).copy())
    left[..., 40:48] = torch.from_numpy(np.linspace(0, 0.5, 96 + 2 * MARGIN_PX, dtype=np.float32))[120:128]
    left[..., 40 + gap : 48 + gap] = 1.0
    disparity = torch.zeros(1, 1, 32, 96)
    disparity[..., 40 + gap : 48 + gap] = gap
    warp = gapw(left, disparity)
    assert torch.equal(warp.disocclusion, torch.from_numpy(scene.hole)[:, None])
    seen = ~warp.disocclusion.expand_as(warp.view)
    view = torch.from_numpy(scene.view.transpose(0, 3, 1, 2).copy())
    torch.testing.assert_close(warp.view[seen], view[seen], atol=3e-3, rtol=0)  # GAPW places edges between pixels


def test_truth_in_the_hole_is_the_background(library):
    scene = one_object(8)
    ramp = np.linspace(0, 0.5, 96 + 2 * MARGIN_PX, dtype=np.float32)[MARGIN_PX : MARGIN_PX + 96]
    np.testing.assert_allclose(scene.truth[0, 5, :, 0][scene.hole[0, 5]], ramp[scene.hole[0, 5]])


def test_outside_holes_the_view_is_mostly_the_truth(library):
    rng = np.random.default_rng(4)
    for _ in range(5):
        scene = layered_scene(rng, library, 3, 64, 96)
        differing = (np.abs(scene.view - scene.truth).max(axis=-1) > 0.1) & ~scene.hole
        assert differing.mean() < 0.08  # rims only: depth edges are drawn up to two pixels wrong


def test_projection_pairs_show_the_truth_and_lie_on_the_right(library):
    rng, falling, starts = np.random.default_rng(5), 0, 0
    for _ in range(8):
        scene = projection_pair(rng, library, 2, 64, 96)
        assert scene.view is scene.truth
        inner = scene.hole & ~scene.edge
        frame, row, column = (inner[:, :, 8:-8] & ~inner[:, :, 7:-9]).nonzero()  # first pixels of holes
        before, after = (scene.disparity[frame, row, column + 8 + step] for step in (-4, 4))
        falling, starts = falling + (before - after > 2).sum(), starts + len(frame)
    assert starts > 100
    assert falling > 0.25 * starts  # from near to far: the object is on the left; the rest are slopes and blurred edges


def test_a_scene_is_a_function_of_its_generator(library):
    scenes = [layered_scene(np.random.default_rng(9), library, 2, 32, 48) for _ in range(2)]
    for name in ("view", "truth", "hole", "disparity"):
        assert np.array_equal(getattr(scenes[0], name), getattr(scenes[1], name))


def test_batches_are_functions_of_seed_and_number(library):
    rules = SceneRules(frames=2, height=32, width=48, batch=2)
    resumed = SceneBatches(library, rules, seed=3, first=5)[0]
    assert torch.equal(SceneBatches(library, rules, seed=3)[5].truth, resumed.truth)
    assert not torch.equal(SceneBatches(library, rules, seed=4)[5].truth, resumed.truth)


def test_windows_of_a_batch_lie_far_apart_in_time(library):
    scenes = [layered_scene(np.random.default_rng(n), library, 4, 32, 48) for n in range(2)]
    number = make_batch(scenes).frame_number.tolist()
    assert number[:4] == [0, 1, 2, 3]
    assert number[4] - number[3] > 8  # no cell is longer than 4 frames
