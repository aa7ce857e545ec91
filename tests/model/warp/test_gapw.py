"""What `gapw` promises: identities, hand-derived rows, masks at the frame's edges and clear refusals."""

import numpy as np
import pytest
import torch

from model.errors import InvalidInputError, ShapeError
from model.warp.gapw import gapw


def picture(channels: int = 3, height: int = 6, width: int = 40, frames: int = 2) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(frames, channels, height, width, generator=generator) * 3 - 1


def constant(image: torch.Tensor, value: float) -> torch.Tensor:
    frames, _, height, width = image.shape
    return torch.full((frames, 1, height, width), value)


def row(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float32).reshape(1, 1, 1, -1)


@pytest.mark.parametrize("channels", [1, 3, 4, 8])
def test_zero_disparity_returns_the_image_bit_for_bit(channels):
    image = picture(channels)
    warp = gapw(image, constant(image, 0.0))
    assert torch.equal(warp.view, image)
    assert not warp.disocclusion.any()
    assert torch.equal(warp.disparity, constant(image, 0.0))


@pytest.mark.parametrize("shift", [1, 7, 39])
def test_an_integer_shift_is_exact_and_content_comes_from_the_right(shift):
    image = picture()
    warp = gapw(image, constant(image, float(shift)))
    assert torch.equal(warp.view[..., :-shift], image[..., shift:])
    assert not warp.disocclusion[..., :-shift].any()
    assert warp.disocclusion[..., -shift:].all()


@pytest.mark.parametrize("shift", [1, 7, 39])
def test_a_negative_integer_shift_is_exact_and_content_comes_from_the_left(shift):
    image = picture()
    warp = gapw(image, constant(image, -float(shift)))
    assert torch.equal(warp.view[..., shift:], image[..., :-shift])
    assert warp.disocclusion[..., :shift].all()
    assert not warp.disocclusion[..., shift:].any()


def test_a_near_square_hides_background_on_its_left_and_uncovers_it_on_its_right():
    # Pixels 6..9 (value 5 on 1) are 4 px nearer: they land on 2..5; columns 6..9 were behind them.
    image = row(*[1.0] * 6, *[5.0] * 4, *[1.0] * 6)
    warp = gapw(image, row(*[0.0] * 6, *[4.0] * 4, *[0.0] * 6))
    assert warp.view.flatten().tolist() == [1, 1, 5, 5, 5, 5] + [1] * 10
    assert warp.disocclusion.flatten().int().tolist() == [0] * 6 + [1] * 4 + [0] * 6
    assert warp.disparity.flatten().tolist() == [0, 0, 4, 4, 4, 4] + [0] * 10


def test_a_one_pixel_bar_survives_at_any_shift():
    # A monotone inverse loses it: its two edges cross.
    image = row(*[0.0] * 20, 1.0, *[0.0] * 19)
    for shift in (3.0, 3.5, 8.25):
        disparity = row(*[0.0] * 20, shift, *[0.0] * 19)
        view = gapw(image, disparity).view.flatten()
        assert view.sum() == pytest.approx(1.0, abs=1e-5), "the bar keeps its light"
        centre = (view * torch.arange(40.0)).sum()
        assert centre == pytest.approx(20 - shift, abs=1e-4), "and lies where its disparity says"


def test_a_mixed_edge_pixel_leaves_no_halo():
    # Pixel 10 is 30 % of the near surface (1) over black and has the far disparity; near begins at 10.7.
    image = row(*[0.0] * 10, 0.3, *[1.0] * 9, *[1.0] * 10)
    disparity = row(*[0.0] * 11, *[5.0] * 19)
    view = gapw(image, disparity).view.flatten()
    assert view[:5].abs().max() < 1e-6
    assert view[5] == pytest.approx(0.3, abs=2e-3)
    assert (view[6:20] - 1).abs().max() < 1e-3


@pytest.mark.parametrize("slope", [0.5, 1.0, -1.0])
def test_a_slanted_edge_keeps_the_coverage_of_its_pixels(slope):
    # White left of a straight edge, 4 px nearer than black; pixels hold the part of them that is white.
    y, x = np.mgrid[-90:90, 0:800] / 20
    white = (x - 0.475 < 20.01 + slope * (y + 0.025)).reshape(9, 20, 40, 20).mean((1, 3), dtype=np.float32)
    near = np.arange(40) < 20.01 + slope * (np.arange(9) - 4)[:, None]
    image = torch.from_numpy(white)[None, None]
    view = gapw(image, torch.from_numpy(4 * near.astype(np.float32))[None, None]).view
    # The edge is trusted to one part in 300 (CONTRAST_FLOOR).
    assert torch.allclose(view[..., :-4], image[..., 4:], atol=4e-3)


def test_a_half_pixel_shift_of_a_line_is_exact():
    # Catmull-Rom reproduces straight lines.
    image = row(*np.arange(20.0))
    view = gapw(image, torch.full_like(image, 2.5)).view.flatten()
    assert torch.allclose(view[:16], torch.arange(16.0) + 2.5)


def test_a_stretch_above_the_threshold_is_disoccluded():
    image = row(*np.arange(30.0))
    disparity = row(*[4.0] * 15, *np.linspace(4, 4 - 15 * 0.4, 15))  # stretched 1.4 on the right
    assert not gapw(image, disparity, threshold=1.5).disocclusion[..., :25].any()
    assert gapw(image, disparity, threshold=1.3).disocclusion[..., 12:25].any()


def test_alpha_moves_with_its_pixels():
    image = picture(3)
    alpha = image[:, :1]
    disparity = torch.rand(2, 1, 6, 40, generator=torch.Generator().manual_seed(1)) * 0.3 + 2
    warp = gapw(torch.cat([image, alpha], 1), disparity)
    assert torch.equal(warp.view[:, 3], warp.view[:, 0])


def test_values_outside_0_to_1_are_kept():
    image = picture() * 1000 - 500
    assert torch.equal(gapw(image, constant(image, 2.0)).view[..., :-2], image[..., 2:])


@pytest.mark.parametrize("shape", [(1, 3, 1, 1), (1, 3, 1, 3), (1, 3, 3, 1), (3, 1, 2, 2)])
@pytest.mark.parametrize("shift", [0.0, 0.4, 5.0, -1e9, 1e30])
def test_tiny_frames_give_finite_views(shape, shift):
    image = torch.rand(shape, generator=torch.Generator().manual_seed(3))
    warp = gapw(image, constant(image, shift))
    assert torch.isfinite(warp.view).all()
    assert warp.view.shape == image.shape
    if abs(shift) > 3:
        assert warp.disocclusion.all()


def test_16000_columns_are_as_exact_as_100():
    image = picture(1, 1, 16000, 1)
    disparity = torch.full((1, 1, 1, 16000), 0.37)
    far = gapw(image, disparity).view
    near = gapw(image[..., -100:], disparity[..., -100:]).view
    assert torch.equal(far[..., -90:], near[..., -90:])


def test_unknown_disparity_takes_the_farther_known_neighbour():
    nan = float("nan")
    image = row(*np.arange(12.0))
    filled = gapw(image, row(*[3.0] * 4, nan, nan, *[1.0] * 6))
    known = gapw(image, row(*[3.0] * 4, 1.0, 1.0, *[1.0] * 6))
    assert torch.equal(filled.view, known.view)
    assert torch.equal(filled.disocclusion, known.disocclusion)


def test_a_frame_of_unknown_disparity_is_not_moved():
    image = picture()
    assert torch.equal(gapw(image, constant(image, float("nan"))).view, image)


def test_inputs_are_left_alone():
    image, disparity = picture(), torch.rand(2, 1, 6, 40) * 9
    disparity[0, 0, 0, 3] = float("nan")
    before = image.clone(), disparity.clone()
    gapw(image, disparity, edge_fix_px=2)
    assert torch.equal(image, before[0])
    assert torch.equal(
        disparity,
        before[1],
    ) or torch.equal(disparity.nan_to_num(), before[1].nan_to_num())


def test_half_precision_is_converted():
    image = picture().half()
    assert gapw(image, constant(image, 1.0)).view.dtype == torch.float32


@pytest.mark.parametrize(
    ("image_shape", "disparity_shape"),
    [
        ((3, 4, 5), (1, 1, 4, 5)),
        ((1, 3, 4, 5), (1, 1, 4, 6)),
        ((2, 3, 4, 5), (1, 1, 4, 5)),
        ((1, 3, 4, 5), (1, 3, 4, 5)),
    ],
)
def test_sizes_that_do_not_fit_are_refused(image_shape, disparity_shape):
    with pytest.raises(ShapeError, match=r"must be \(T"):
        gapw(torch.zeros(image_shape), torch.zeros(disparity_shape))


def test_empty_frames_are_refused():
    with pytest.raises(ShapeError, match="empty"):
        gapw(torch.zeros(1, 3, 0, 5), torch.zeros(1, 1, 0, 5))


@pytest.mark.parametrize("kind", [torch.float32, torch.float16])
@pytest.mark.parametrize("column", [4, 42])  # among eight that are copied at once, and at the end of the row
@pytest.mark.parametrize("bad", [float("inf"), float("-inf"), float("nan")])
def test_colour_that_is_not_finite_is_refused(bad, column, kind):
    image = picture(width=43).to(kind)
    image[1, 2, 3, column] = bad
    with pytest.raises(InvalidInputError, match="colour"):
        gapw(image, constant(image, 1.0))


@pytest.mark.parametrize("bad", [float("inf"), float("-inf")])
def test_infinite_disparity_is_refused(bad):
    image = picture()
    disparity = constant(image, 1.0)
    disparity[0, 0, 0, 0] = bad
    with pytest.raises(InvalidInputError, match="disparity"):
        gapw(image, disparity)


def test_disparity_too_large_for_float32_is_refused():
    image = picture()
    with pytest.raises(InvalidInputError, match="disparity"):
        gapw(image, constant(image, 1.0).double() * 1e39)


@pytest.mark.parametrize("arguments", [{"threshold": 1.0}, {"threshold": float("nan")}, {"edge_fix_px": -1.0}])
def test_settings_out_of_range_are_refused(arguments):
    image = picture()
    with pytest.raises(InvalidInputError, match=next(iter(arguments))):
        gapw(image, constant(image, 1.0), **arguments)


def test_integer_pixels_are_refused():
    with pytest.raises(InvalidInputError, match="floating point"):
        gapw(torch.zeros(1, 3, 4, 4, dtype=torch.uint8), torch.zeros(1, 1, 4, 4))
