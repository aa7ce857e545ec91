import numpy as np
import pytest

from model.depth.motion import Flow, find_flow
from model.depth.steady import neighbours, steady

STILL = np.zeros((6, 8, 2), np.float32)


def still(frames, cuts=()):
    ways = [None if t + 1 in (*cuts, frames) else STILL for t in range(frames)]
    return Flow(forward=ways, backward=[None, *ways[:-1]])


def noise(frames):
    return np.random.default_rng(0).standard_normal((frames, 6, 8)).astype(np.float32)


def test_one_round_averages_a_still_frame_with_its_two_neighbours():
    values = noise(5)
    around = neighbours(np.full((5, 6, 8, 3), 0.5, np.float32), still(5))
    result = steady(values, around, rounds=1)
    assert result[2] == pytest.approx(values[1:4].mean(axis=0), abs=1e-6)


def test_the_flicker_of_a_still_scene_falls():
    values = noise(17)
    around = neighbours(np.full((17, 6, 8, 3), 0.5, np.float32), still(17))
    before, after = (np.abs(np.diff(v, axis=0))[2:-2].mean() for v in (values, steady(values, around, 5)))
    assert after < before / 5


def test_nothing_is_averaged_across_a_cut():
    values = np.zeros((6, 6, 8), np.float32)
    values[3:] = 1
    around = neighbours(np.full((6, 6, 8, 3), 0.5, np.float32), still(6, cuts=(3,)))
    assert np.array_equal(steady(values, around, 5), values)


def test_nothing_is_averaged_between_surfaces_of_other_colours():
    values, picture = np.zeros((3, 6, 8), np.float32), np.full((3, 6, 8, 3), 0.2, np.float32)
    values[1], picture[1] = 1, 0.7
    assert steady(values, neighbours(picture, still(3)), 5) == pytest.approx(values, abs=1e-4)


def test_a_moving_value_stays_with_its_surface(walker, grey_of):
    frames, mask = walker
    flow = find_flow(np.rint(grey_of(frames) * 255).astype(np.uint8), cuts=())
    picture = np.ascontiguousarray(np.moveaxis(frames.numpy(), 1, -1))
    values = mask.numpy().astype(np.float32)
    moved = np.abs(steady(values, neighbours(picture, flow), 4)[4] - values[4])
    assert moved[45:75, 67:87].max() < 0.1
    # 12 px behind and before the square, where a plain mean over the nine frames would leave 4 / 9
    assert moved[45:75, 48:54].max() < 0.25


def test_the_frames_at_the_ends_of_a_window_are_not_averaged_one_sidedly():
    values = noise(5)
    result = steady(values, neighbours(np.full((5, 6, 8, 3), 0.5, np.float32), still(5)), rounds=5)
    assert np.array_equal(result[[0, 4]], values[[0, 4]])


@pytest.mark.parametrize("frames", [1, 2])
def test_windows_without_a_middle_stay_as_they_are(frames):
    values = noise(frames)
    around = neighbours(np.full((frames, 6, 8, 3), 0.5, np.float32), still(frames))
    assert np.array_equal(steady(values, around, 5), values)
