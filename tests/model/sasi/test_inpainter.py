import pytest
import torch

from model.errors import Cancelled, DeviceMemoryError, InvalidInputError, SettingsError, ShapeError
from model.sasi.inpainter import load_inpainter
from model.sasi.tokens import grow


def near(hole: torch.Tensor, rings: int) -> torch.Tensor:
    for _ in range(rings):
        hole = grow(hole)
    return hole


def fill(inpainter, window, **rules):
    return inpainter.fill(window.view, window.disocclusion, window.disparity, **rules)


def test_pixels_beyond_the_feather_keep_their_bits(tiny_inpainter, window):
    filled = fill(tiny_inpainter, window, feather_px=2.0).view
    untouched = ~near(window.disocclusion, 2).expand_as(filled)
    assert torch.equal(filled[untouched], window.view[untouched])
    hole = window.disocclusion.expand_as(filled)
    assert not torch.equal(filled[hole], window.view[hole])


def test_without_blend_only_the_hole_changes(tiny_inpainter, window):
    filled = fill(tiny_inpainter, window, blend=False).view
    outside = ~window.disocclusion.expand_as(filled)
    assert torch.equal(filled[outside], window.view[outside])


def test_the_call_is_the_view_of_fill(tiny_inpainter, window):
    called = tiny_inpainter(window.view, window.disocclusion, window.disparity, dilation=3, steps=2)
    assert torch.equal(called, fill(tiny_inpainter, window, dilation=3, steps=2).view)


def test_an_empty_mask_returns_the_input_and_does_no_work(tiny_inpainter, window):
    def forbidden(stage, fraction):
        raise AssertionError("work was done")

    nothing = torch.zeros_like(window.disocclusion)
    filled = tiny_inpainter.fill(window.view, nothing, window.disparity, progress=forbidden)
    assert filled.view is window.view
    assert filled.retention == 0


def test_a_full_mask_is_filled_from_the_stretched_view(tiny_inpainter, window):
    filled = tiny_inpainter.fill(window.view, torch.ones_like(window.disocclusion), window.disparity)
    assert torch.isfinite(filled.view).all()
    assert filled.retention > 0.8  # the frame is padded by a row and a column of tokens, which may be left out


def test_a_strip_at_the_right_border_is_filled_from_its_left_whatever_the_width(tiny_inpainter):
    for width in (96, 100, 104):  # padded by 0, 12 and 8 px
        view = torch.full((1, 3, 32, width), 0.25)
        hole = torch.zeros(1, 1, 32, width, dtype=torch.bool)
        hole[..., width - 9 :] = True
        view[..., width - 9 :] = 1.0  # what a hole shows must not be looked at
        filled = tiny_inpainter(view, hole, torch.zeros(1, 1, 32, width))
        assert filled[..., width - 9 :].max() <= 0.25 + 0.15 + 1e-5  # real pixels and the bounded residual


def test_one_frame_one_row_and_odd_sizes_are_filled(tiny_inpainter):
    for size in ((1, 3, 1, 1), (1, 3, 1, 3), (2, 3, 33, 17), (1, 4, 8, 200)):
        view = torch.rand(size)
        hole = torch.zeros(size[0], 1, *size[2:], dtype=torch.bool)
        hole[..., size[3] // 2 :] = True
        filled = tiny_inpainter(view, hole, torch.zeros(size[0], 1, *size[2:]))
        assert filled.shape == view.shape
        assert torch.isfinite(filled).all()


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_alpha_is_kept_and_grey_is_filled(tiny_inpainter, window, channels):
    view = window.view[:, :1].repeat(1, channels, 1, 1)
    filled = tiny_inpainter(view, window.disocclusion, window.disparity)
    if channels in (2, 4):
        assert torch.equal(filled[:, -1], view[:, -1])
    assert not torch.equal(filled[:, 0], view[:, 0])


def test_equal_windows_give_equal_bits(tiny_inpainter, window):
    torch.manual_seed(1)
    first = fill(tiny_inpainter, window).view
    torch.manual_seed(2)
    assert torch.equal(fill(tiny_inpainter, window).view, first)


def test_first_frame_changes_the_noise(tiny_inpainter, window):
    assert not torch.equal(fill(tiny_inpainter, window, first_frame=13).view, fill(tiny_inpainter, window).view)


def test_windows_may_start_before_the_clip(tiny_inpainter, window):
    assert torch.isfinite(fill(tiny_inpainter, window, first_frame=-2).view).all()


def test_retention_grows_with_dilation_and_stride(tiny_inpainter, window):
    shares = [fill(tiny_inpainter, window, dilation=k).retention for k in (1, 3, 5, 7, 9)]
    assert shares == sorted(shares)
    assert shares[0] < shares[-1]
    strided = fill(tiny_inpainter, window, dilation=1, temporal_stride=10)  # frame 0 is computed whole
    assert shares[0] < strided.retention < 1


def test_bright_and_negative_values_outside_the_hole_are_untouched(tiny_inpainter, window):
    view = window.view * 40 - 2
    filled = tiny_inpainter(view, window.disocclusion, window.disparity)
    untouched = ~near(window.disocclusion, 1).expand_as(view)  # 4 px at 1920 wide are 0.2 px here
    assert torch.equal(filled[untouched], view[untouched])
    assert torch.isfinite(filled).all()
    hole = window.disocclusion.expand_as(view)
    assert filled[hole].max() <= view.max() * 1.5


def test_max_width_limits_the_fill_and_keeps_the_frame(tiny_inpainter, window):
    filled = fill(tiny_inpainter, window, max_width=52, feather_px=0.0).view
    outside = ~window.disocclusion.expand_as(filled)
    assert torch.equal(filled[outside], window.view[outside])
    assert not torch.equal(filled, fill(tiny_inpainter, window, feather_px=0.0).view)


def test_progress_is_told_and_may_cancel(tiny_inpainter, window):
    told = []

    def progress(stage: str, fraction: float) -> None:
        told.append((stage, fraction))
        if fraction > 0.3:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        fill(tiny_inpainter, window, progress=progress)
    assert [stage for stage, _ in told] == ["fill"] * len(told)
    assert told[0] == ("fill", 0.0)


@pytest.mark.parametrize(
    "rules",
    [
        {"dilation": 2},
        {"dilation": 5.0},
        {"steps": 0},
        {"steps": 9},
        {"steps": 1.5},
        {"feather_px": -1.0},
        {"temporal_stride": -1},
        {"max_width": 4},
        {"max_width": float("nan")},
        {"first_frame": 1.5},
        {"first_frame": 1 << 70},
    ],
)
def test_settings_out_of_range_are_refused(tiny_inpainter, window, rules):
    with pytest.raises(SettingsError, match=next(iter(rules))):
        fill(tiny_inpainter, window, **rules)


def test_shapes_that_do_not_fit_are_refused(tiny_inpainter, window):
    with pytest.raises(ShapeError, match="disparity"):
        tiny_inpainter(window.view, window.disocclusion, window.disparity[:, :, :-1])
    with pytest.raises(ShapeError, match="view"):
        tiny_inpainter(window.view[:, :0], window.disocclusion, window.disparity)
    with pytest.raises(InvalidInputError, match="bool"):
        tiny_inpainter(window.view, window.disocclusion.float(), window.disparity)


def test_values_that_are_not_finite_are_refused(tiny_inpainter, window):
    window.view[0, 0, 0, 0] = torch.nan
    with pytest.raises(InvalidInputError, match="finite"):
        fill(tiny_inpainter, window)


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA"), RuntimeError("[enforce fail] can't allocate memory")]
)
def test_memory_that_runs_out_is_told_with_a_way_out(tiny_inpainter, window, error):
    def progress(stage, fraction):
        raise error

    with pytest.raises(DeviceMemoryError, match="max_width"):
        fill(tiny_inpainter, window, progress=progress)


def test_other_failures_are_not_taken_for_a_lack_of_memory(tiny_inpainter, window):
    def progress(stage, fraction):
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        fill(tiny_inpainter, window, progress=progress)


def test_a_device_without_values_is_refused():
    with pytest.raises(InvalidInputError, match="'meta' cannot be used here"):
        load_inpainter("lite", device="meta")


@pytest.mark.parametrize("device", [None, 3.5])
def test_what_is_no_device_is_refused(device):
    with pytest.raises(InvalidInputError, match="choose cpu"):
        load_inpainter("lite", device=device)


def test_a_device_that_is_not_here_is_refused():
    with pytest.raises(InvalidInputError, match="'cuda:99' cannot be used here"):
        load_inpainter("lite", device="cuda:99")
