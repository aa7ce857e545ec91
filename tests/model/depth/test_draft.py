import cv2
import pytest
import torch

from model.depth.draft import Draft
from model.depth.pictures import WORKING_WIDTH, small_pictures
from model.errors import ShapeError


def test_a_walker_is_nearer_than_what_is_beside_it(walker):
    frames, mask = walker
    nearness = Draft().estimate(frames)[4, 0]
    top_half = torch.zeros_like(mask[4])
    top_half[42:60] = True
    inside, beside = nearness[mask[4] & top_half], nearness[~mask[4] & top_half]
    assert inside.quantile(0.1) > beside.quantile(0.9) + 0.1


def test_a_walker_stands_upright(walker):
    frames, _ = walker
    nearness = Draft().estimate(frames)[4, 0, 44:76, 68:86].mean(dim=1)
    floor = torch.linspace(44, 75, 32) / 90 * 0.67 / 0.75
    assert nearness.max() - nearness.min() < 0.25 * (floor[-1] - floor[0])


def test_the_bottom_of_a_still_picture_is_nearer_than_its_top(textured):
    nearness = Draft().estimate(textured(1, 90, 160)[None])[0, 0]
    assert nearness[-10:].min() > nearness[:10].max() + 0.3


def test_the_result_has_the_working_width_at_most_and_the_proportions_of_the_frame():
    assert Draft().estimate(torch.rand(1, 3, 360, 960)).shape == (1, 1, 180, WORKING_WIDTH)
    assert Draft().estimate(torch.rand(1, 3, 30, 50)).shape == (1, 1, 30, 50)


@pytest.mark.parametrize("size", [(1, 1), (1, 3), (3, 1), (2, 2), (17, 5), (1, 2000)])
@pytest.mark.parametrize("frames", [1, 2, 3])
def test_any_size_and_number_of_frames_is_accepted(size, frames):
    picture = torch.rand(frames, 4, *size, generator=torch.Generator().manual_seed(0))
    nearness = Draft().estimate(picture)
    assert nearness.shape[:2] == (frames, 1)
    assert nearness.dtype == torch.float32
    assert 0 <= nearness.min() <= nearness.max() <= 1


def test_colours_beyond_0_to_1_are_accepted(walker):
    frames, _ = walker
    frames[:, :, 10:20, 10:20] = 4000.0
    frames[:, :, 20:25, 10:20] = -3.0
    nearness = Draft().estimate(frames)
    assert torch.isfinite(nearness).all()
    assert nearness[4, 0, 60, 77] > nearness[4, 0, 60, 20] + 0.1


def test_highlights_roll_off_and_the_rest_stays():
    frames = torch.tensor([-1.0, 0.0, 0.25, 0.8, 1.0, 50.0]).expand(1, 3, 1, 6)
    assert small_pictures(frames)[0, 0, :, 1].tolist() == pytest.approx([0, 0, 0.25, 0.8, 0.9264, 1.0], abs=1e-4)


def test_equal_bits_whatever_was_computed_before_and_with_any_number_of_threads(walker):
    frames, _ = walker
    first = Draft().estimate(frames)
    Draft().estimate(frames.flip(0))
    threads = cv2.getNumThreads(), torch.get_num_threads()
    try:
        for number in (1, 3):
            cv2.setNumThreads(number)
            torch.set_num_threads(number)
            assert torch.equal(Draft().estimate(frames), first)
    finally:
        cv2.setNumThreads(threads[0])
        torch.set_num_threads(threads[1])


def test_frames_of_the_next_shot_change_nothing(walker, textured):
    frames, _ = walker
    tinted = textured(9, 90, 160) * torch.tensor([0.9, 0.3, 0.2])[:, None, None]
    with_cut = torch.cat((frames[:6], tinted.expand(3, 3, 90, 160)))
    assert torch.equal(Draft().estimate(with_cut)[:2], Draft().estimate(frames[:6])[:2])


def test_a_still_scene_with_noise_hardly_flickers(textured):
    picture = textured(1, 90, 160)
    noise = torch.randn(17, 3, 90, 160, generator=torch.Generator().manual_seed(0))
    nearness = Draft().estimate((picture + 0.03 * noise).clamp(0, 1))
    # measured 0.0004, and 0.0015 without the smoothing in time; 0.0008 is 0.03 px at 1280 wide
    assert nearness[2:-2].diff(dim=0).abs().mean() < 0.0008


@pytest.mark.parametrize("shape", [(3, 8, 8), (1, 1, 8, 8), (0, 3, 8, 8), (1, 3, 0, 8)])
def test_a_wrong_shape_is_refused(shape):
    with pytest.raises(ShapeError, match="frames must be"):
        Draft().estimate(torch.zeros(shape))
