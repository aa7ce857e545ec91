"""The pages of Resolve: each makes the effect in its own way, and all give the same right eye."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.ofx_host import ArrayClip
from tests.ofx_plugin.formula_service import formula

pytestmark = pytest.mark.host

PAGES: dict[str, dict[str, Any]] = {
    "Edit": {"context": "Filter", "unset": "connected-black"},
    "Color": {"context": "Filter", "unset": "connected-null"},
    "Fusion": {"context": "General", "unset": "unconnected"},
}
FIRST = {"Edit": 86_400, "Color": 86_400, "Fusion": 0}  # Fusion counts from the start of the range


@pytest.fixture(params=PAGES)
def page(request) -> str:
    return request.param


@pytest.fixture
def effect_on(make_effect, service):
    def make(page: str, **params):
        changes = {
            "create_arguments": {"OfxImageEffectPropResolvePage": page},
            "unset_clip": PAGES[page]["unset"],
            **params.pop("host_changes", {}),
        }
        return make_effect("resolve", service.address, context=PAGES[page]["context"], host_changes=changes, **params)

    return make


def test_a_clip_is_converted_on_every_page(effect_on, shot, page):
    effect = effect_on(page)
    first = FIRST[page]
    effect.set_clip("Source", ArrayClip(shot, first=first))
    for number in (0, 13, 5, 29):
        np.testing.assert_array_equal(effect.render(first + number), formula(shot[number], first + number))
    effect.check()


def test_a_wired_depth_clip_is_read_on_every_page(effect_on, shot, clip, page):
    depth = np.random.default_rng(5).random((30, 24, 40, 4), dtype=np.float32)
    effect = effect_on(page, depth_source="Depth clip")
    effect.set_clip("Source", clip)
    effect.set_clip("Depth", ArrayClip(depth))
    np.testing.assert_allclose(effect.render(6), formula(shot[6], 6, depth=depth[6, ..., 0]), atol=1e-6)


def test_both_eyes_are_delivered_and_the_left_is_the_source(effect_on, shot, clip):
    for output, expected in (("Right eye", lambda n: formula(shot[n], n)), ("Left eye", lambda n: shot[n])):
        effect = effect_on("Edit", output=output)
        effect.set_clip("Source", clip)
        for number, picture in enumerate(effect.render_range(range(30), sequential=True)):
            np.testing.assert_array_equal(picture, expected(number))


def test_frames_run_backwards_as_in_8k_playback(effect_on, service, shot, clip):
    effect = effect_on("Color")
    effect.set_clip("Source", clip)
    for number in range(29, -1, -1):
        np.testing.assert_array_equal(effect.render(number), formula(shot[number], number))
    assert len(service.model.windows) == 3, "thirty frames, thirteen a window"


def test_a_thumbnail_that_resolve_names_is_the_source_and_asks_nobody(effect_on, service, shot, clip, page):
    effect = effect_on(page, host_changes={"thumbnails": True})
    effect.set_clip("Source", clip)
    np.testing.assert_array_equal(effect.render(4), shot[4])
    assert service.model.windows == []
