import torch
import torch.nn.functional as F

from model.depth.cuts import find_cuts


def picture(seed, tint=(1.0, 1.0, 1.0), height=90, width=200):
    """A picture with structure at every size, (3, H, W) in 0..1."""
    generator = torch.Generator().manual_seed(seed)
    layers = [torch.rand(1, 3, height // s, width // s, generator=generator) for s in (30, 10, 3)]
    full = torch.cat([F.interpolate(layer, (height, width), mode="bilinear") for layer in layers]).mean(dim=0)
    return full * torch.tensor(tint)[:, None, None]


def pan(seed, frames, step, **kwargs):
    wide = picture(seed, **kwargs)
    return [wide[..., t * step : t * step + 100] for t in range(frames)]


def test_a_cut_is_the_first_frame_of_the_new_shot():
    frames = torch.stack(pan(1, 4, 2) + pan(2, 5, 2, tint=(0.9, 0.6, 0.4)) + pan(3, 3, 2, tint=(0.4, 0.7, 0.9)))
    assert find_cuts(frames) == (4, 9)


def test_a_fast_pan_is_no_cut():
    assert find_cuts(torch.stack(pan(1, 9, 10))) == ()


def test_a_flash_is_no_cut():
    frames = torch.stack(pan(1, 5, 2))
    frames[2] = frames[2] * 2.5
    assert find_cuts(frames) == ()


def test_a_fade_is_no_cut():
    frames = torch.stack(pan(1, 10, 0)) * torch.linspace(0.1, 1, 10)[:, None, None, None]
    assert find_cuts(frames) == ()


def test_noise_on_a_flat_frame_is_no_cut():
    assert find_cuts(torch.rand(4, 3, 60, 60, generator=torch.Generator().manual_seed(0)) * 0.02 + 0.4) == ()


def test_from_black_to_a_picture_is_a_cut():
    frames = torch.stack(pan(1, 2, 1))
    assert find_cuts(torch.cat((torch.zeros_like(frames), frames))) == (2,)


def test_highlights_do_not_hide_a_cut():
    frames = torch.stack(pan(1, 2, 1) + pan(2, 2, 1, tint=(0.9, 0.6, 0.4)))
    frames[:, :, 40:44, 40:44] = 900.0
    assert find_cuts(frames) == (2,)


def test_tiny_frames_and_single_frames_are_accepted():
    for size in ((1, 1), (1, 3), (3, 1), (5, 5)):
        assert find_cuts(torch.full((3, 4, *size), 0.5)) == ()
    assert find_cuts(torch.rand(1, 3, 40, 40)) == ()


def test_alpha_is_not_looked_at():
    frames = torch.stack(pan(1, 4, 2))
    alpha = torch.tensor([0.0, 1, 0, 1])[:, None, None, None].expand(4, 1, *frames.shape[2:])
    assert find_cuts(torch.cat((frames, alpha), dim=1)) == ()
