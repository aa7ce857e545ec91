"""Depth that no one should send, through the whole conversion: a stated result or a clear error."""

import pytest
import torch

import model
from model.errors import InvalidInputError, ShapeError

HEIGHT, WIDTH = 8, 40
NAN = float("nan")


def picture(frames=1, width=WIDTH):
    return torch.rand(frames, 3, HEIGHT, width, generator=torch.Generator().manual_seed(0))


def converted(frames, depth, meaning="disparity-px", **settings):
    chosen = model.Settings(
        depth_source="clip", depth_meaning=meaning, engine="stretch", edge_fix=0, window=1, **settings
    )
    return model.convert(frames, depth, chosen, first_frame=41)


def test_another_number_of_frames_is_refused():
    with pytest.raises(ShapeError, match=r"depth must be \(2, 1, h, w\); got \(1, 1, 8, 40\)"):
        converted(picture(2), torch.zeros(1, 1, HEIGHT, WIDTH))


@pytest.mark.parametrize("size", [(1, 1), (3, 7), (HEIGHT, WIDTH), (50, 90)])
def test_another_size_is_stretched_over_the_frame(size):
    depth = torch.full((1, 1, *size), 4.0 * size[1] / WIDTH)  # px of its own width
    torch.testing.assert_close(converted(picture(), depth).disparity, torch.full((1, 1, HEIGHT, WIDTH), 4.0))


@pytest.mark.parametrize("meaning", ["white-near", "white-far"])
def test_constant_depth_lies_where_it_says_or_on_the_screen_when_it_has_no_scale(meaning):
    frames = picture()
    # 0.9 is 0.4 from the screen: 0.4 * 10 % of 40 px, nearer where white is near
    moved = converted(frames, torch.full((1, 1, HEIGHT, WIDTH), 0.9), meaning, disparity=10).disparity
    torch.testing.assert_close(moved, torch.full_like(moved, 1.6 if meaning == "white-near" else -1.6))
    assert torch.equal(converted(frames, torch.full((1, 1, HEIGHT, WIDTH), 7.0), meaning).right, frames)


def test_depth_without_a_known_value_is_refused_by_its_frame():
    with pytest.raises(InvalidInputError, match="depth of frame 41: expected at least one finite value, all 320 are"):
        converted(picture(), torch.full((1, 1, HEIGHT, WIDTH), NAN))


def test_one_known_pixel_speaks_for_the_frame():
    depth = torch.full((1, 1, HEIGHT, WIDTH), NAN)
    depth[0, 0, 5, 11] = 3.0
    assert (converted(picture(), depth).disparity == 3).all()


@pytest.mark.parametrize("sign", [1, -1])
def test_disparity_wider_than_the_frame_leaves_nothing_to_see(sign):
    result = converted(picture(), torch.full((1, 1, HEIGHT, WIDTH), sign * 3.0 * WIDTH))
    assert result.disocclusion.all()
    assert torch.isfinite(result.right).all()
    assert "comfort limit" in result.warnings[0]


def test_negative_disparity_everywhere_moves_the_picture_to_the_right():
    frames = picture()
    result = converted(frames, torch.full((1, 1, HEIGHT, WIDTH), -5.0))
    assert torch.equal(result.right[..., 5:], frames[..., :-5])
    assert result.disocclusion[..., :5].all()
    assert not result.disocclusion[..., 6:].any()


def test_frames_of_16384_columns_are_converted_exactly():
    frames = picture(width=16384)
    result = converted(frames, torch.full((1, 1, HEIGHT, 16384), 300.0))
    assert torch.equal(result.right[..., :-300], frames[..., 300:])
    assert result.disocclusion[..., -300:].all()
