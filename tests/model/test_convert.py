"""The invariants of DESIGN.md §4, on the real parts."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

import model
from model.errors import Cancelled, FrameFormatError, ShapeError
from model.settings import DEPTH_MEANINGS
from model.window import window_of

HEIGHT, WIDTH = 40, 64


def clip_frames(count: int, channels: int = 3, seed: int = 0) -> torch.Tensor:
    """(T, C, H, W): smooth texture that drifts, so that frames differ."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, channels, HEIGHT // 4, WIDTH // 2, generator=generator)
    wide = torch.nn.functional.interpolate(coarse, size=(HEIGHT, WIDTH * 2), mode="bilinear")[0]
    return torch.stack([wide[..., t : t + WIDTH] for t in range(count)]).contiguous()


def box_depth(count: int) -> torch.Tensor:
    """(T, 1, H, W): a near box that walks to the right in front of a far wall."""
    depth = torch.zeros(count, 1, HEIGHT, WIDTH)
    for t in range(count):
        depth[t, :, 10:30, 15 + t : 35 + t] = 1.0
    return depth


def clip_settings(**changes: object) -> model.Settings:
    return replace(model.Settings(depth_source="clip", disparity=8.0, window=17), **changes)  # type: ignore[arg-type]


def test_zero_disparity_returns_the_input_bit_for_bit() -> None:
    frames = clip_frames(5, channels=4) * 3 - 1  # HDR: below 0 and above 1
    result = model.convert(frames, box_depth(5), clip_settings(disparity=0.0))
    assert torch.equal(result.right, frames)
    assert not result.disocclusion.any()


def test_outside_the_feathered_mask_the_right_eye_is_the_warp_bit_for_bit() -> None:
    frames, depth = clip_frames(5), box_depth(5)
    filled = model.convert(frames, depth, clip_settings(feather=0.0))
    warped = model.convert(frames, depth, clip_settings(engine="stretch"))
    seen = ~filled.disocclusion.expand_as(frames)
    assert filled.disocclusion.any()
    assert torch.equal(filled.right[seen], warped.right[seen])
    assert not torch.equal(filled.right, warped.right)


def test_a_near_box_moves_left_and_uncovers_its_right_side() -> None:
    result = model.convert(clip_frames(1), box_depth(1), clip_settings(convergence=0.0, window=1))
    middle = result.disocclusion[0, 0, 20]
    # 8 % of 64 px: the box at 15..34 lands 5.12 px further left and uncovers about columns 30..34.
    assert middle[31:34].all() and not middle[5:29].any() and not middle[37:].any()


def test_a_frame_does_not_depend_on_which_frames_of_the_clip_were_asked_before() -> None:
    frames, depth, settings = clip_frames(17), box_depth(17), clip_settings()
    once = model.convert(frames, depth, settings, first_frame=11)
    model.convert(frames.flip(0), depth, settings, first_frame=50)
    again = model.convert(frames.clone(), depth.clone(), settings, first_frame=11)
    assert torch.equal(once.right, again.right)


def test_neighbouring_windows_agree_in_disparity_at_their_border() -> None:
    depth = box_depth(40)
    frames = clip_frames(40)
    last, first = window_of(25, 17), window_of(26, 17)
    assert first.first_frame - last.first_frame == 13
    parts = [
        model.convert(
            frames[w.first_frame : w.first_frame + 17],
            depth[w.first_frame : w.first_frame + 17],
            clip_settings(engine="none"),
            first_frame=w.first_frame,
        )
        for w in (last, first)
    ]
    shared = parts[0].disparity[13:17] - parts[1].disparity[:4]
    assert shared.abs().max() < 1e-4


def test_the_engine_none_leaves_transparent_holes() -> None:
    result = model.convert(clip_frames(2, channels=4), box_depth(2), clip_settings(engine="none"))
    holes = result.disocclusion.expand_as(result.right)
    assert (result.right[holes] == 0).all() and holes.any()


def test_the_meaning_of_depth_clips_does_not_touch_estimated_depth() -> None:
    frames = clip_frames(3)
    shown = [
        model.convert(frames, None, model.Settings(depth_meaning=meaning, engine="stretch")).right
        for meaning in DEPTH_MEANINGS
    ]
    assert all(torch.equal(shown[0], other) for other in shown[1:])


def test_a_floating_window_masks_the_outer_edge_of_each_eye() -> None:
    frames = clip_frames(1) + 1
    changes = {"floating_window": "manual", "floating_window_width": 5.0, "engine": "stretch"}
    masked = model.convert(frames, box_depth(1), clip_settings(**changes))
    plain = model.convert(frames, box_depth(1), clip_settings(engine="stretch"))
    # 5 % of 64 px: three whole columns and a fifth of the next.
    assert (masked.left[..., :3] == 0).all() and torch.equal(masked.left[..., 4:], frames[..., 4:])
    assert (masked.right[..., -3:] == 0).all() and torch.equal(masked.right[..., :-4], plain.right[..., :-4])


def test_depth_that_uses_little_of_its_scale_is_reported() -> None:
    settings = clip_settings(engine="stretch", disparity=2.5)
    assert "uses 5 % of its scale" in model.convert(clip_frames(1), box_depth(1) * 0.05, settings).warnings[0]
    for unremarkable in (box_depth(1), box_depth(1) * 0):
        assert not model.convert(clip_frames(1), unremarkable, settings).warnings


def test_comfort_limits_are_reported_not_enforced() -> None:
    result = model.convert(clip_frames(1), box_depth(1), clip_settings(convergence=0.0, disparity=5.0))
    assert result.max_parallax == pytest.approx(5.0)
    assert "comfort" in result.warnings[0]


def test_progress_never_falls_and_can_cancel() -> None:
    seen: list[float] = []
    model.convert(clip_frames(3), box_depth(3), clip_settings(), progress=lambda _, fraction: seen.append(fraction))
    assert seen == sorted(seen) and seen[-1] == 1.0

    def stop(stage: str, _: float) -> None:
        if stage == "fill":
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        model.convert(clip_frames(3), box_depth(3), clip_settings(), progress=stop)


@pytest.mark.parametrize(
    ("frames", "depth", "error"),
    [
        (torch.zeros(2, 2, 4, 4), torch.zeros(2, 1, 4, 4), ShapeError),
        (torch.zeros(2, 3, 4, 4), None, ShapeError),
        (torch.zeros(2, 3, 4, 4), torch.zeros(1, 1, 4, 4), ShapeError),
        (torch.full((1, 3, 4, 4), torch.inf), torch.zeros(1, 1, 4, 4), FrameFormatError),
        (torch.full((1, 3, 4, 4), torch.nan), torch.zeros(1, 1, 4, 4), FrameFormatError),
        (torch.zeros(1, 3, 4, 4, dtype=torch.float64), torch.zeros(1, 1, 4, 4), FrameFormatError),
    ],
)
def test_input_that_can_never_be_valid_is_refused(frames: torch.Tensor, depth: torch.Tensor, error: type) -> None:
    with pytest.raises(error):
        model.convert(frames, depth, clip_settings())


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 3), (3, 1), (9, 17)])
@pytest.mark.parametrize("depth_source", ["estimate", "clip"])
def test_tiny_frames_are_converted(height: int, width: int, depth_source: str) -> None:
    frames = torch.rand(3, 3, height, width)
    depth = torch.rand(3, 1, height, width) if depth_source == "clip" else None
    result = model.convert(frames, depth, model.Settings(depth_source=depth_source))
    assert result.right.shape == frames.shape and torch.isfinite(result.right).all()
