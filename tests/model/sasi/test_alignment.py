"""Backgrounds that move by known amounts under a hole."""

import pytest
import torch

from model.sasi.alignment import background_from_time, sample_bilinear


def textured(height: int, width: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(5)
    coarse = torch.rand(1, 3, height // 16, width // 16, generator=generator)
    return torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic").clamp(0, 1)


def panned(speed: int, frames: int = 5, height: int = 128, width: int = 192) -> torch.Tensor:
    scene = textured(height, width + 128)
    return torch.cat([scene[..., 40 + speed * t : 40 + speed * t + width] for t in range(frames)])


def guess(view: torch.Tensor, hole: torch.Tensor, window_length: int | None = None):
    background = (~hole).float()
    atlas = torch.cat((view * background, background, torch.zeros_like(background)), dim=1)
    return background_from_time(view, atlas.permute(0, 2, 3, 1).contiguous(), hole, window_length or len(view))


def one_hole(frames: int = 5, frame: int = 2) -> torch.Tensor:
    hole = torch.zeros(frames, 1, 128, 192, dtype=torch.bool)
    hole[frame, 0, 50:70, 90:110] = True
    return hole


@pytest.mark.parametrize("speed", [0, 3, -6])
def test_what_neighbours_show_is_found_under_a_pan(speed):
    view, hole = panned(speed), one_hole()
    found = guess(view, hole)
    error = (found.colour - view).abs().mean(dim=1, keepdim=True)[hole]
    assert error.mean() < 0.02
    assert found.confidence[hole].mean() > 0.5


def test_nothing_is_found_where_no_frame_shows_the_background():
    view = panned(0)
    found = guess(view, one_hole()[2:3].expand(5, -1, -1, -1).contiguous())
    assert found.confidence.max() < 1e-3


def test_a_cut_gives_little_confidence():
    view = panned(0)
    view[:2], view[3:] = 1 - view[:2], 1 - view[3:]
    assert guess(view, one_hole()).confidence.max() < 0.35


def test_windows_do_not_see_each_other():
    view, hole = panned(0, frames=4), one_hole(4)
    assert guess(view, hole, window_length=1).confidence.max() == 0
    assert guess(view, hole, window_length=2).confidence[hole].mean() > 0.8


def test_nearer_surfaces_of_other_frames_are_not_taken():
    view, hole = panned(0), one_hole()
    background = (~hole).float()
    disparity = torch.full_like(background, 12.0)  # everything else is 12 px nearer than the hole's background
    disparity[2] = 0
    atlas = torch.cat((view * background, background, disparity), dim=1).permute(0, 2, 3, 1).contiguous()
    assert background_from_time(view, atlas, hole, 5).confidence.max() < 1e-3


def test_bilinear_samples_are_exact_on_a_ramp_and_clamped_outside():
    maps = torch.arange(12.0).view(1, 3, 4, 1)
    x, y = torch.tensor([1.25, -3.0, 3.0]), torch.tensor([1.5, 0.0, 2.0])
    value, inside = sample_bilinear(maps, torch.zeros(3, dtype=torch.int64), x, y)
    assert value[:, 0].tolist() == [1.25 + 4 * 1.5, 0.0, 11.0]
    assert inside.tolist() == [1.0, 0.0, 1.0]


def test_bilinear_sampling_has_right_gradients():
    maps = torch.rand(2, 5, 6, 3, dtype=torch.float64)
    frame = torch.tensor([0, 1, 1])
    x = torch.tensor([1.3, 2.7, 4.6], dtype=torch.float64, requires_grad=True)
    y = torch.tensor([0.4, 3.2, 1.9], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, y: sample_bilinear(maps, frame, x, y)[0], (x, y))
