import pytest
import torch

from model.evaluate.fills import yardsticks
from model.evaluate.flicker import flicker_table, warped_difference


@pytest.fixture
def moving():
    """A texture that moves by two px to the right in each of three frames, and a hole that moves with it."""
    generator = torch.Generator().manual_seed(2)
    coarse = torch.rand(1, 3, 12, 18, generator=generator)
    texture = torch.nn.functional.interpolate(coarse, (96, 144), mode="bicubic").clamp(0, 1)[0]
    truth = torch.stack([texture.roll(2 * t, -1) for t in range(3)])[..., 16:128]
    hole = torch.zeros(3, 1, 96, 112, dtype=torch.bool)
    for t in range(3):
        hole[t, :, 30:70, 40 + 2 * t : 70 + 2 * t] = True
    return truth, hole


def test_what_follows_the_motion_does_not_flicker(moving):
    truth, hole = moving
    total, pixels = warped_difference(truth, truth, hole)
    assert pixels > 1000
    assert total / pixels < 0.01


def test_a_fill_that_changes_by_a_tenth_in_every_frame_flickers_by_a_tenth(moving):
    truth, hole = moving
    image = torch.full_like(truth, 0.4)
    image[1] = 0.5
    total, pixels = warped_difference(image, truth, hole)
    assert total / pixels == pytest.approx(0.1, abs=1e-3)


def test_the_table_ends_with_the_truth(window):
    lines = flicker_table([window], yardsticks()).splitlines()
    assert lines[-1].startswith("| the truth |")
    assert len(lines) == 2 + len(yardsticks()) + 1
