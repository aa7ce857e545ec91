from __future__ import annotations

import os

import cv2
import numpy as np
import pytest

from model.errors import InvalidInputError, ShapeError
from model.settings import Settings
from service.__main__ import main
from service.footage import open_footage
from service.render import RenderOrder, render


@pytest.fixture
def model(service):
    """The model that halves."""
    return service.model


@pytest.fixture
def clip(tmp_path):
    """Twenty 16 bit frames, numbered from 101."""
    folder = tmp_path / "clip"
    folder.mkdir()
    for number in range(20):
        values = np.random.default_rng(number).integers(0, 65536, (6, 8, 3)).astype("u2") // 2 * 2
        cv2.imwrite(str(folder / f"s_{101 + number:04}.png"), values)
    return folder


def frames_in(path) -> list[np.ndarray]:
    return list(open_footage(path).frames())


def order(clip, out, **fields) -> RenderOrder:
    return RenderOrder(clip, out, fields.pop("settings", Settings()), device="cpu", **fields)


def test_every_frame_is_converted_once_under_its_own_number(clip, tmp_path, model, capsys):
    assert render(order(clip, tmp_path / "out"), model) == 0
    assert sorted(os.listdir(tmp_path / "out")) == [f"frame_{number:05}.png" for number in range(101, 121)]
    pairs = zip(frames_in(clip), frames_in(tmp_path / "out"), strict=True)
    assert all(np.array_equal(right, left // 2) for left, right in pairs)
    printed = capsys.readouterr()
    assert "20 frames of 8 x 6 RGB u16" in printed.out
    assert "frames/s on cpu" in printed.out
    assert "depth" in printed.out
    assert "warning: mind the gap (in 3 windows)" in printed.err


def test_windows_are_those_of_a_host(clip, tmp_path, model):
    render(order(clip, tmp_path / "out"), model)
    # K = 17 - 2 * 2 = 13: frame 101 lies in window 7 of 13 kept frames, which begins at 7 * 13 - 2 = 89.
    assert [window.first_frame for window in model.windows] == [89, 102, 115]
    assert all(window.frames.shape == (17, 3, 6, 8) for window in model.windows)


def test_the_left_eye_is_the_source_and_needs_no_model(clip, tmp_path, model):
    render(order(clip, tmp_path / "out", settings=Settings(output="left")), model)
    pairs = zip(frames_in(clip), frames_in(tmp_path / "out"), strict=True)
    assert all(np.array_equal(left, source) for source, left in pairs)
    assert model.windows == []


def test_full_side_by_side_is_written_twice_as_wide(clip, tmp_path, model):
    render(order(clip, tmp_path / "o.mkv", settings=Settings(output="sbs-full"), frames=3), model)
    assert [frame.shape for frame in frames_in(tmp_path / "o.mkv")] == [(6, 16, 3)] * 3


def test_a_still_is_computed_alone(clip, tmp_path, model):
    render(order(clip / "s_0101.png", tmp_path / "o.png"), model)
    assert [window.frames.shape[0] for window in model.windows] == [1]
    assert (tmp_path / "o.png").exists()


def test_depth_goes_with_its_frames(clip, tmp_path, model):
    render(order(clip, tmp_path / "out", depth=clip, settings=Settings(depth_source="clip"), frames=2), model)
    window = model.windows[0]
    assert np.array_equal(window.depth[:, 0], window.frames[:, 0])


def test_depth_of_another_length_is_refused_before_anything_is_written(clip, tmp_path, model):
    with pytest.raises(InvalidInputError, match="the clip has 20 frames and the depth 1"):
        render(order(clip, tmp_path / "out", depth=clip / "s_0101.png"), model)
    assert not (tmp_path / "out").exists()


def test_a_video_whose_depth_ends_early_is_refused_and_leaves_no_output(clip, tmp_path, model):
    render(order(clip, tmp_path / "v.mkv", settings=Settings(output="left"), frames=18), model)
    with pytest.raises(ShapeError, match="the depth ends after 18 frames"):
        render(order(clip, tmp_path / "o.mp4", depth=tmp_path / "v.mkv"), model)
    assert sorted(os.listdir(tmp_path)) == ["clip", "v.mkv"]


def test_an_error_of_the_model_ends_the_render_without_a_half_written_file(clip, tmp_path, model):
    model.error = InvalidInputError("no")
    with pytest.raises(InvalidInputError, match="no"):
        render(order(clip, tmp_path / "o.mp4"), model)
    assert not (tmp_path / "o.mp4").exists()
    assert os.listdir(tmp_path) == ["clip"]


def test_values_that_the_file_cannot_hold_are_counted_and_told(clip, tmp_path, model, capsys):
    model.factor = 1e3
    render(order(clip, tmp_path / "out", frames=1), model)
    assert "values did not fit 8 x 6 RGB u16 and were clamped" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["render", "none.mp4", "-o", "o.mp4"], 1, "none.mp4 does not exist"),
        (["render", "x.mp4", "-o", "o.mp4", "--set", "disparity=99"], 2, "disparity must be 0..10"),
        (["render", "x.mp4", "-o", "o.mp4", "--set", "disparity"], 2, "--set takes NAME=VALUE"),
        (["render", "x.mp4", "-o", "o.mp4", "--set", "nonsense=1"], 2, "unknown setting 'nonsense'"),
        (["render", "x.mp4", "-o", "o.mp4", "--set", "depth_source=clip"], 2, "go together"),
        (["render", "x.mp4", "-o", "o.mp4", "--fps", "0"], 2, "--fps must be above 0"),
        (["render", "x.mp4", "-o", "o.mp4", "--frames", "-1"], 2, "--frames must be above 0"),
        (["render", "x.mp4"], 2, "-o"),
        (["nonsense"], 2, "invalid choice"),
    ],
)
def test_a_wrong_command_line_says_what_to_do(tmp_path, monkeypatch, capsys, arguments, code, text):
    monkeypatch.chdir(tmp_path)
    try:
        returned = main(arguments)
    except SystemExit as left:
        returned = left.code
    assert returned == code
    assert text in capsys.readouterr().err
