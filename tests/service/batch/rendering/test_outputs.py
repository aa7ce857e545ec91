"""Several outputs of one pass."""

from __future__ import annotations

import math

import numpy as np
import pytest

from model.settings import Settings
from service.batch.media.image_io import read_image
from service.batch.media.mov_boxes import stereo_boxes
from service.batch.outputs.half_sphere import eye_size_px, half_sphere_pair
from service.batch.outputs.picture_writer import OutputFile
from service.batch.sources.footage import open_footage


def images(path) -> list[np.ndarray]:
    return [frame.image for frame in open_footage(path).frames()]


def test_one_pass_makes_every_output(make_run, render, model, tmp_path):
    model.factor = 0.5
    source = make_run(count=5)
    kinds = {"right": 0.5, "left": 1, "mask": None, "anaglyph": 0.5}
    outputs = [OutputFile(kind, tmp_path / kind / "o_%04d.png") for kind in kinds]
    assert render(source, *outputs, settings=Settings(window=17)) == 0
    # Windows of 17 keep 13 frames, from multiples of 13: 101..103 lie in one, 104 and 105 in the next.
    assert [window.also for window in model.windows] == [("left", "mask", "anaglyph")] * 2
    before = images(source)
    assert all(np.array_equal(a, b) for a, b in zip(before, images(tmp_path / "left" / "o_%04d.png"), strict=True))
    halves = images(tmp_path / "right" / "o_%04d.png")
    assert all(np.abs(b / 2 - a).max() <= 0.5 for a, b in zip(halves, before, strict=True))
    assert all(image.min() == 65535 for image in images(tmp_path / "mask" / "o_%04d.png"))


def test_the_left_eye_alone_is_the_source_and_needs_no_model(make_run, render, model, tmp_path):
    source = make_run(count=3)
    render(source, OutputFile("left", tmp_path / "o"))
    assert model.windows == []
    assert all(np.array_equal(a, b) for a, b in zip(images(source), images(tmp_path / "o"), strict=True))


@pytest.mark.parametrize(("kind", "size"), [("sbs-full", (36, 128)), ("tb-full", (72, 64))])
def test_full_layouts_grow(make_run, render, tmp_path, kind, size):
    render(make_run(count=1), OutputFile(kind, tmp_path / "o.png"))
    assert read_image(tmp_path / "o.png")[0].shape[:2] == size


def test_left_and_right_have_equal_timecodes(make_video, render, tmp_path):
    source = make_video("s.mkv", frames=3, timecode="10:00:00:00")
    outputs = [OutputFile(kind, tmp_path / f"{kind}.mov") for kind in ("left", "right")]
    assert render(source, *outputs, first=1) == 0
    codes = [str(open_footage(output.path).info.timecode) for output in outputs]
    assert codes == ["10:00:00:01", "10:00:00:01"]


def test_vr180_is_two_half_spheres(make_video, render, tmp_path):
    source = make_video("s.mkv", frames=2)
    assert render(source, OutputFile("vr180", tmp_path / "o.mp4", "h264"), field_of_view_deg=90) == 0
    footage = open_footage(tmp_path / "o.mp4")
    side = eye_size_px(64, 90)
    assert (footage.format.width, footage.format.height) == (2 * side, side)
    content = (tmp_path / "o.mp4").read_bytes()
    assert b"sv3d" in content and b"equi" in content


def test_a_half_sphere_shows_each_direction_where_it_belongs():
    width, field_of_view = 201, 90.0  # the edge of the picture lies 45 degrees to the side
    flat = np.zeros((3, 101, width), np.float32)
    flat[0, 50, 100] = 1  # straight ahead
    flat[1, :, 150] = 1  # a line at tan λ = 50 / 100.5
    pair = half_sphere_pair(np.concatenate((flat, flat), axis=2), field_of_view)
    side = eye_size_px(width, field_of_view)
    left, right = pair[:, :, :side], pair[:, :, side:]
    assert np.array_equal(left, right)
    rows, columns = np.nonzero(left[0] > 0.1)
    assert abs(rows.mean() + 0.5 - side / 2) < 1 and abs(columns.mean() + 0.5 - side / 2) < 1
    line = np.nonzero(left[1, side // 2] > 0.2)[0].mean() + 0.5
    assert line / side * 180 - 90 == pytest.approx(math.degrees(math.atan(50 / 100.5)), abs=180 / side)
    assert not left[:, :, : side // 4 - 1].any(), "45 degrees to the left there is nothing"


def test_only_half_a_sphere_has_its_projection_in_the_file():
    assert b"sv3d" not in stereo_boxes("sbs-full")
    assert stereo_boxes("right") == b""
    # equi of Spherical Video V2: a quarter of the circle is left out on each side.
    assert b"equi" + bytes(12) + b"\x40\0\0\0" * 2 in stereo_boxes("vr180")
