"""What goes wrong is said to the artist, returned as a failure, and over with the next good frame."""

from __future__ import annotations

import signal
import threading

import numpy as np
import pytest

from tests.ofx_host import PERSONALITIES, ArrayClip, Host, RenderAborted, RenderFailed
from tests.ofx_host.private_service import BUNDLE
from tests.ofx_host.render_orders import moving_frames

pytestmark = pytest.mark.host

QUICK = {"engine": "Stretch background", "window": "Single frame"}


@pytest.fixture
def stereo():
    """Makes the effect in a host, and afterwards checks that no rule was broken."""
    hosts = []

    def make(personality="nuke", source=None, *, depth=None, host_changes=None, **params):
        hosts.append(Host(personality, **(host_changes or {})))
        effect = hosts[-1].load(BUNDLE).create("Filter", **(QUICK | params))
        if source is not False:
            effect.set_clip("Source", ArrayClip(moving_frames() if source is None else source))
        if depth is not None:
            effect.set_clip("Depth", ArrayClip(depth))
        return effect

    yield make
    for host in hosts:
        host.close()
        host.check()


def ramp(count: int = 20, size: tuple[int, int] = (64, 96)) -> np.ndarray:
    """A depth clip, RGBA float: near on the right."""
    row = np.linspace(0, 1, size[1], dtype=np.float32)
    return np.broadcast_to(row[None, None, :, None], (count, *size, 4)).copy()


@pytest.mark.parametrize("personality", PERSONALITIES)
def test_a_service_that_cannot_start_fails_the_render_with_a_message(fresh_service, stereo, personality):
    effect = stereo(personality, service_program="/bin/false", timeout=2.0)
    with pytest.raises(RenderFailed) as failure:
        effect.render(3)
    assert len(failure.value.messages) == 1
    assert "service" in failure.value.messages[0]


def test_pass_through_shows_the_source_and_warns(fresh_service, stereo):
    effect = stereo("nuke", service_program="/bin/false", timeout=2.0, on_error="Pass through")
    np.testing.assert_array_equal(effect.render(3), moving_frames()[3])
    ((kind, _, text, _),) = effect.host.messages
    assert kind == "OfxMessageWarning"
    assert "source is shown" in text


def test_making_an_instance_starts_no_process(fresh_service, stereo):
    assert stereo("nuke").instance is not None
    assert fresh_service.process is None


def test_a_service_killed_in_mid_render_is_started_again(service, stereo):
    effect = stereo("nuke", disparity=4.0)
    expected = effect.render(3)
    effect.set("disparity", 4.5)
    with service.frozen():  # so that the render is surely under way when the service dies
        threading.Timer(0.5, lambda: service.signal(signal.SIGKILL)).start()
        try:
            effect.render(3)
        except RenderFailed as failure:
            assert failure.messages, "a failure without a word"
    assert np.isfinite(effect.render(4)).all()
    effect.set("disparity", 4.0)
    np.testing.assert_array_equal(effect.render(3), expected)
    assert effect.persistent_message is None


def test_a_service_killed_between_renders_is_started_again(service, stereo):
    effect = stereo("natron", disparity=4.0)
    effect.render(3)
    first = service.process
    service.signal(signal.SIGKILL)
    effect.set("disparity", 5.0)
    assert np.isfinite(effect.render(3)).all()
    assert service.process not in (None, first)


def test_an_abort_ends_a_render_that_waits_for_a_frozen_service(service, stereo):
    effect = stereo("nuke")
    effect.render(3)
    effect.set("disparity", 7.0)
    effect.abort_after(200)
    with service.frozen():
        with pytest.raises(RenderAborted) as abort:
            effect.render(3)
        assert service.is_frozen
    assert abort.value.messages == []
    effect.abort_after(None)
    assert np.isfinite(effect.render(3)).all()


def test_a_frozen_service_fails_the_render_after_the_timeout(service, stereo):
    effect = stereo("nuke")
    effect.render(3)
    effect.set("timeout", 1.0)
    effect.set("disparity", 7.5)
    with service.frozen():
        with pytest.raises(RenderFailed, match="time"):
            effect.render(3)
        assert service.is_frozen
    effect.set("timeout", 120.0)
    assert np.isfinite(effect.render(3)).all()


def test_unloading_waits_for_no_service(service, stereo):
    effect = stereo("nuke")
    effect.render(3)
    with service.frozen():
        effect.host.close()
        assert service.is_frozen


def test_two_hosts_share_one_service(service, stereo):
    stereo("nuke").render(3)
    first = service.process
    stereo("natron", disparity=3.9).render(3)
    assert service.process == first


@pytest.mark.parametrize("personality", PERSONALITIES)
def test_no_source_is_said(service, stereo, personality):
    with pytest.raises(RenderFailed, match="Source"):
        stereo(personality, source=False).render(0)


def test_depth_of_another_size_is_used(service, stereo):
    effect = stereo("nuke", depth=ramp(size=(20, 33)), depth_source="Depth clip", disparity=6.0)
    picture = effect.render(5)
    assert picture.shape == (64, 96, 4)
    assert not np.array_equal(picture, moving_frames()[5])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_depth_that_is_no_number_gives_finite_pixels(service, stereo, bad):
    depth = ramp()
    depth[:, 20:40, 30:50] = bad
    effect = stereo("nuke", depth=depth, depth_source="Depth clip", disparity=6.0)
    assert np.isfinite(effect.render(5)).all()


def test_colours_that_are_no_numbers_are_said(service, stereo):
    frames = moving_frames()
    frames[3, 5, 5] = np.nan
    effect = stereo("nuke", frames)
    with pytest.raises(RenderFailed, match="NaN"):
        effect.render(3)
    assert np.isfinite(effect.render(4)).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 3), (3, 1), (2, 2)])
def test_tiny_frames_are_converted(service, stereo, size):
    picture = stereo("natron", moving_frames(20, size)).render(5)
    assert picture.shape == (*size, 4)
    assert np.isfinite(picture).all()


def test_a_very_wide_frame_is_converted(service, stereo):
    picture = stereo("nuke", moving_frames(3, (16, 8192))).render(1)
    assert picture.shape == (16, 8192, 4)
    assert np.isfinite(picture).all()


def test_a_bad_input_leaves_the_service_to_others(service, stereo):
    good = stereo("nuke", disparity=2.2).render(5)
    process = service.process
    with pytest.raises(RenderFailed):
        stereo("nuke", range="Manual", near=0.5, far=0.5).render(5)
    np.testing.assert_array_equal(stereo("nuke", disparity=2.2).render(5), good)
    assert service.process == process
