"""Pictures that are only looked at come fast; what is kept is computed whole; neither ever stands in for the other."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest

from tests.ofx_host import ArrayClip
from tests.ofx_plugin.formula_service import FormulaModel, ServiceThread, formula

pytestmark = pytest.mark.host

FINAL = (-2, 17)  # the window of frames 0 to 12: first frame, length
PREVIEWS = {
    "interactive": {"interactive": True},
    "draft": {"draft": True},
    "draft in playback": {"draft": True, "interactive": True, "sequential": True},
    "reduced": {"scale": 0.5},
}
FINALS = {
    "final": {},
    "sequence": {"sequential": True},
    "playback in a viewer": {"interactive": True, "sequential": True},
    "reduced sequence": {"scale": 0.5, "sequential": True},
}


@pytest.fixture
def seen(service) -> list[tuple[int, int, int]]:
    """Windows that the service computed: first frame, length, fill width."""
    windows: list[tuple[int, int, int]] = []
    service.model.before_window = lambda w: windows.append((w.first_frame, len(w.frames), w.settings.max_width))
    return windows


@pytest.mark.parametrize("how", PREVIEWS)
def test_a_picture_to_look_at_takes_one_frame_and_the_least_fill_width(make_effect, service, seen, clip, how):
    effect = make_effect("natron", service.address)
    effect.set_clip("Source", clip)
    effect.host.forget()
    effect.render(4, **PREVIEWS[how])
    assert seen == [(4, 1, 640)]
    assert [time for name, time, _ in effect.host.reads if name == "Source"] == [4]
    effect.check()


@pytest.mark.parametrize("how", FINALS)
def test_a_picture_to_keep_takes_the_window(make_effect, service, seen, clip, how):
    effect = make_effect("natron", service.address)
    effect.set_clip("Source", clip)
    effect.render(4, **FINALS[how])
    assert seen == [(*FINAL, 1280)]


@pytest.mark.parametrize("how", PREVIEWS)
def test_always_final_ignores_what_the_host_says(make_effect, service, seen, clip, how):
    effect = make_effect("natron", service.address, preview="Always final")
    effect.set_clip("Source", clip)
    effect.render(4, **PREVIEWS[how])
    assert seen == [(*FINAL, 1280)]


def test_nukes_viewer_gets_final_pictures_because_nuke_may_keep_them(make_effect, service, seen, clip):
    effect = make_effect("nuke", service.address)
    effect.set_clip("Source", clip)
    effect.render(4, interactive=True)
    effect.render(4, interactive=True, scale=0.5)
    assert seen == [(*FINAL, 1280), (4, 1, 640)]


def test_a_thumbnail_is_known_by_its_size_beside_the_project(make_effect, service, seen, clip):
    effect = make_effect("resolve", service.address, host_changes={"project_size": (1920.0, 1080.0)})
    effect.set_clip("Source", clip)
    effect.render(4)
    assert seen == [(4, 1, 640)]


def test_a_small_part_of_a_frame_is_no_thumbnail(make_effect, service, seen, clip):
    effect = make_effect("strict", service.address, host_changes={"project_size": (1920.0, 1080.0)})
    effect.set_clip("Source", clip)
    effect.render(4, window=(0, 0, 8, 8))
    assert seen == [(*FINAL, 1280)]


ORDERS = list(itertools.permutations(["preview", "final", "preview again"]))


@pytest.mark.parametrize("order", ORDERS, ids=", ".join)
def test_neither_mode_shows_the_others_picture(make_effect, runtime_dir, shot, clip, order):
    """The formula takes the fill width into account here, so that the two pictures differ."""

    class WidthModel(FormulaModel):
        def _image(self, window, index):
            return super()._image(window, index) + np.float32(window.settings.max_width / 10000)

    service = ServiceThread(runtime_dir, WidthModel())
    effect = make_effect("natron", service.address)
    effect.set_clip("Source", clip)
    for name in order:
        width = 1280 if name == "final" else 640
        picture = effect.render(4, interactive=name != "final")
        np.testing.assert_array_equal(picture, formula(shot[4], 4) + np.float32(width / 10000))
    assert len(service.model.windows) == 2, "the second preview is known"
    service.stop()


def test_a_shorter_setting_stays_as_it_is(make_effect, service, seen, clip):
    effect = make_effect("natron", service.address, window="Single frame", max_width=640)
    effect.set_clip("Source", clip)
    effect.render(4, interactive=True)
    effect.render(4)
    assert seen == [(4, 1, 640)], "the preview is the final picture, so nothing is computed twice"


def test_status_says_that_it_was_a_preview(make_effect, service, clip):
    effect = make_effect("natron", service.address)
    effect.set_clip("Source", clip)
    effect.render(4, interactive=True)
    effect.set("disparity", 3.0)
    assert "Preview: this frame alone, filled at 640 px" in effect.get("status")
    effect.render(4)
    effect.set("disparity", 3.1)
    assert "Preview" not in effect.get("status")


def test_trace_tells_previews_apart(make_effect, service, clip, runtime_dir, monkeypatch):
    trace = runtime_dir / "trace.jsonl"
    monkeypatch.setenv("STEREO_CONVERT_TRACE", str(trace))
    effect = make_effect("natron", service.address)
    effect.set_clip("Source", clip)
    effect.render(4, draft=True)
    effect.render(4)
    lines = [json.loads(line) for line in trace.read_text().splitlines()]
    assert [(line["preview"], line["window_length"]) for line in lines] == [(True, 1), (False, 17)]


def test_a_changed_setting_sends_no_frame_again(make_effect, service, shot):
    effect = make_effect("natron", service.address)
    effect.set_clip("Source", ArrayClip(shot))
    effect.render(4)
    sent = service.bytes_by_chunks
    for disparity in (3.0, 3.5):
        effect.set("disparity", disparity)
        np.testing.assert_array_equal(effect.render(4), formula(shot[4], 4, disparity))
    assert service.bytes_by_chunks == sent == 0, "all of them lie in memory that both sides map"
