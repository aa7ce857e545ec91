"""The bar of test_range.py through the whole conversion, with depth that an estimator gives in units of its own."""

import pytest
import torch

import model
from model.settings import Settings
from model.window import window_of

HEIGHT, WIDTH, LENGTH = 54, 96, 39
BAR_PX = 0.1


class Exact:
    """An estimator that sees no pictures: it knows the inverse distance, in `unit`, of what was drawn."""

    name, license, detail, normalised, steady = "exact", "Apache-2.0", "for this test", False, False

    def __init__(self, inverse_distance, unit):
        self._depth = inverse_distance * unit

    def estimate(self, frames):
        return self._depth


@pytest.fixture
def walk(textured):
    """Frames (T, 3, H, W) and their inverse distance (T, 1, H, W): someone crosses before a wall and its floor."""
    background, coat = textured(1, HEIGHT, WIDTH), textured(2, HEIGHT, WIDTH) * 0.5 + 0.4
    wall = (0.05 + 0.3 * torch.linspace(-1, 1, HEIGHT).clamp(min=0))[:, None].expand(HEIGHT, WIDTH)
    frames, depth = [], []
    for t in range(LENGTH):
        inside = torch.zeros(HEIGHT, WIDTH, dtype=torch.bool)
        left = 5 * (t - 6)
        inside[14:50, max(0, left) : max(0, left + 16)] = True
        frames.append(torch.where(inside, coat, background))
        depth.append(torch.where(inside, 0.9, wall)[None])
    return torch.stack(frames), torch.stack(depth)


@pytest.mark.parametrize("unit", [1.0, 37.0])
def test_a_static_point_does_not_move_when_someone_passes(walk, unit):
    frames, depth = walk
    path = []
    for first in range(0, LENGTH, 13):
        window = window_of(first, 17)
        numbers = window.frames(0, LENGTH - 1)
        estimator = Exact(depth[numbers], unit)
        result = model.convert(
            frames[numbers], None, Settings(engine="none"), first_frame=window.first_frame, estimator=estimator
        )
        path.append(result.only(list(window.kept)).disparity[:, 0, :10, ::8])
    steps = torch.cat(path).diff(dim=0).abs().max() * 1920 / WIDTH
    assert steps <= BAR_PX
