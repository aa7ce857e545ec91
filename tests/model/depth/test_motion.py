import numpy as np
import pytest

from model.depth.motion import camera_flow, find_flow, follow, weighted_median

HEIGHT, WIDTH = 60, 96


def grey_pan(textured, frames, step):
    wide = textured(5, HEIGHT, WIDTH + step * frames).mean(dim=0).numpy()
    return np.stack([np.rint(wide[:, t * step : t * step + WIDTH] * 255).astype(np.uint8) for t in range(frames)])


def test_flow_of_a_pan_is_its_step_both_ways(textured):
    flow = find_flow(grey_pan(textured, 3, 2), cuts=())
    inner = (slice(10, -10), slice(10, -10))
    assert np.median(flow.forward[0][inner], axis=(0, 1)) == pytest.approx([-2, 0], abs=0.1)
    assert np.median(flow.backward[1][inner], axis=(0, 1)) == pytest.approx([2, 0], abs=0.1)


def test_there_is_no_flow_across_a_cut_or_beyond_the_ends(textured):
    flow = find_flow(grey_pan(textured, 4, 1), cuts=(2,))
    assert [f is None for f in flow.forward] == [False, True, False, True]
    assert [f is None for f in flow.backward] == [True, False, True, False]


@pytest.mark.parametrize("size", [(1, 1), (1, 3), (15, 200)])
def test_frames_too_small_for_flow_have_none(size):
    flow = find_flow(np.zeros((3, *size), np.uint8), cuts=())
    assert flow.forward == flow.backward == [None] * 3


def test_follow_fetches_what_the_flow_points_at():
    image = np.arange(12, dtype=np.float32).reshape(3, 4)
    right_by_one = np.zeros((3, 4, 2), np.float32)
    right_by_one[..., 0] = 1
    assert follow(image, right_by_one).tolist() == [[1, 2, 3, 3], [5, 6, 7, 7], [9, 10, 11, 11]]


def test_camera_flow_fits_a_zoom_and_a_tilt_in_spite_of_a_moving_object():
    x, y = np.meshgrid((np.arange(WIDTH) + 0.5) / WIDTH - 0.5, (np.arange(HEIGHT) + 0.5) / HEIGHT - 0.5)
    truth = np.stack((1 + 4 * x + 2 * x * x, -2 + 4 * y + 2 * x * y), axis=-1).astype(np.float32)
    flow = truth.copy()
    flow[30:60, 30:66] += (6, -3)
    assert camera_flow(flow, np.ones((HEIGHT, WIDTH), np.float32)) == pytest.approx(truth, abs=0.05)


def test_camera_flow_follows_what_is_likely_background():
    flow = np.zeros((HEIGHT, WIDTH, 2), np.float32)
    flow[20:] = (5, 0)  # two thirds of the frame
    background = np.full((HEIGHT, WIDTH), 0.03, np.float32)
    background[:20] = 1
    assert camera_flow(flow, background)[5:15] == pytest.approx(0, abs=0.05)


def test_weighted_median_is_where_half_the_weight_lies_below():
    assert weighted_median(np.array([3.0, 1.0, 2.0]), np.array([1.0, 1.0, 1.0])) == 2
    assert weighted_median(np.array([3.0, 1.0, 2.0]), np.array([9.0, 1.0, 1.0])) == 3
