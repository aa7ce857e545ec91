"""`render --plan`: what a job would take, measured on its own first frames."""

from __future__ import annotations

import re

import pytest

from model.settings import Settings
from service.batch.jobs.plan import ClipPlan, plan_job
from service.batch.outputs.picture_writer import OutputFile
from service.batch.rendering.orders import ClipOrder, JobOrder, Shot


def test_hours_and_bytes_grow_with_the_frames():
    plan = ClipPlan(frames=43_200, measured_frames=26, elapsed_s=13.0, written_bytes=26_000)
    assert plan.hours == pytest.approx(43_200 * 0.5 / 3600)
    assert plan.bytes_when_done == 43_200 * 1000
    unknown = ClipPlan(None, 26, 13.0, 26_000)
    assert (unknown.hours, unknown.bytes_when_done) == (None, None)


def test_a_plan_renders_only_its_frames_and_leaves_nothing(make_video, model, tmp_path, capsys):
    source, out = make_video("s.mkv", frames=60), tmp_path / "out"
    settings, other = Settings(window=17), Settings(window=17, disparity=1.0)
    shots = (Shot(0, 29, settings), Shot(30, None, other))
    orders = (
        ClipOrder(source, (OutputFile("right", out / "o.mkv"), OutputFile("mask", out / "m_%04d.png")), settings),
        ClipOrder(source, (OutputFile("left", out / "o.mkv"), OutputFile("right", out / "r.mkv")), other, shots=shots),
    )
    assert plan_job(JobOrder(orders, ("cpu",)), model, frames=20) == 0
    told = capsys.readouterr().out
    assert len(re.findall(r"s\.mkv: 20 frames in .* frames/s on cpu\n  60 frames: .* hours; ", told)) == 2
    assert "all clips: " in told
    assert not out.exists()
    rendered = [window for window in model.windows if window.settings.disparity == settings.disparity]
    assert max(window.first_frame for window in rendered) < 30, "the first shot's settings, and no frame beyond"


def test_a_clip_that_cannot_be_rendered_is_told_now(make_video, model, tmp_path):
    from service.batch.errors import UnreadableError

    (tmp_path / "s.mkv").write_bytes(b"no video")
    order = ClipOrder(tmp_path / "s.mkv", (OutputFile("right", tmp_path / "o.mkv"),))
    with pytest.raises(UnreadableError):
        plan_job(JobOrder((order,), ("cpu",)), model, frames=5)
