"""Every check of the headless host fails when a plugin breaks its rule, and only then."""

from __future__ import annotations

import numpy as np
import pytest

from tests.ofx_host import ArrayClip, HostCheckError, PluginRefused, RenderFailed, native

pytestmark = pytest.mark.host

FAULTS = {
    "leak-image": "leaked-image",
    "leak-output": "leaked-image",
    "release-twice": "bad-handle",
    "write-input": "input-modified",
    "unwritten": "unwritten",
    "overrun": "guard",
    "underrun": "guard",
    "unknown-property": "unknown-property",
    "wrong-type": "wrong-type",
    "read-only": "read-only",
    "set-param": "forbidden-call",
    "read-far": "undeclared-frame",
}


@pytest.mark.parametrize(("fault", "kind"), FAULTS.items())
def test_a_broken_rule_is_found(make_gain, frames, fault, kind):
    effect = make_gain("strict", fault=fault)
    effect.set_clip("Source", ArrayClip(frames))
    effect.render(2)
    with pytest.raises(HostCheckError) as error:
        effect.check()
    assert [found for found, _ in error.value.problems] == [kind]


@pytest.mark.parametrize("depth", ["Byte", "Short", "Half", "Float"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_one_unwritten_pixel_is_found_in_every_format(make_gain, frames, depth, channels):
    effect = make_gain("nuke", host_changes={"depths": (depth,)}, fault="unwritten")
    effect.set_clip("Source", ArrayClip(frames[..., :channels]))
    effect.render(0)
    # Pixels under 4 bytes are judged in groups, so that one alone may hide.
    hidden = {("Byte", 1), ("Byte", 3), ("Short", 1), ("Half", 1)}
    assert [kind for kind, _ in effect.host.problems] == ([] if (depth, channels) in hidden else ["unwritten"])


def test_a_write_outside_the_render_window_is_found(make_gain, frames):
    effect = make_gain("nuke", fault="outside-window")
    effect.set_clip("Source", ArrayClip(frames))
    effect.render(0, window=(4, 4, 12, 12))
    assert [kind for kind, _ in effect.host.problems] == ["outside-window"]


def test_an_exception_that_comes_out_is_found_and_fails_the_render(make_gain, frames):
    effect = make_gain("natron", fault="throw")
    effect.set_clip("Source", ArrayClip(frames))
    with pytest.raises(RenderFailed, match="ErrFatal"):
        effect.render(0)
    assert effect.host.problems[0] == (
        "exception",
        "OfxImageEffectActionRender let an exception out: thrown on purpose",
    )
    assert effect.host.problems[1][0] == "leaked-image"  # it flew past the release


def test_memory_that_is_never_freed_is_found_when_the_host_closes(make_gain, frames):
    effect = make_gain("natron", fault="leak-memory")
    effect.set_clip("Source", ArrayClip(frames))
    effect.render(0)
    effect.host.close()
    assert [kind for kind, _ in effect.host.problems] == ["leaked-memory"]


def test_resolve_lets_a_render_set_parameters(make_gain, frames):
    effect = make_gain("resolve", fault="set-param")
    effect.set_clip("Source", ArrayClip(frames))
    effect.render(0)
    effect.check()
    assert effect.get("gain") == 1.5


def test_an_error_that_outlives_a_good_render_is_found(make_gain, frames):
    effect = make_gain("nuke", fault="fail", host_changes={"message_suite": "v2"})
    effect.set_clip("Source", ArrayClip(frames))
    with pytest.raises(RenderFailed):
        effect.render(0)
    effect.set("fault", "keep-error")
    effect.render(0)
    assert [kind for kind, _ in effect.host.problems] == ["persistent-error"]


def test_carelessness_in_describe_is_found(make_host, example_plugin):
    host = make_host("nuke")
    host.load(example_plugin, "org.stereoconvert.example.Careless").create("Filter").instance  # noqa: B018
    assert [kind for kind, _ in host.problems] == ["unknown-property", "duplicate-name"]


def test_resolve_and_melt_refuse_an_instance_that_is_not_answered_for(make_host, example_plugin):
    effect = make_host("resolve").load(example_plugin, "org.stereoconvert.example.Careless").create("Filter")
    with pytest.raises(PluginRefused, match="ReplyDefault to OfxActionCreateInstance"):
        effect.instance  # noqa: B018


@pytest.mark.parametrize("unset", ["unconnected", "connected-black", "connected-null"])
def test_an_optional_clip_that_is_not_there_can_look_three_ways(make_gain, frames, unset):
    effect = make_gain("resolve", host_changes={"unset_clip": unset})
    effect.set_clip("Source", ArrayClip(frames))
    effect.render(0)
    connected = effect.instance.native.clip_property("Depth", "OfxImageClipPropConnected")
    assert connected == [int(unset != "unconnected")]
    effect.check()


def test_melt_hides_clips_and_project_from_create_instance(make_gain, frames):
    effect = make_gain("melt")
    effect.set_clip("Source", ArrayClip(frames))
    instance = effect.instance
    assert instance.native.clip_property("Source", "OfxImageClipPropConnected") == [1]
    assert instance.native.clip_property("Depth", "OfxImageClipPropConnected") == []


def test_pixels_that_equal_the_pattern_by_chance_are_rare(make_gain):
    noise = np.random.default_rng(3).integers(0, 256, (50, 64, 64, 4), dtype=np.uint8)
    effect = make_gain("natron")
    effect.set_clip("Source", ArrayClip(noise))
    for number in range(50):
        effect.render(number)
    effect.check()


def test_the_module_says_how_to_build_it_when_it_is_missing(monkeypatch, tmp_path):
    monkeypatch.setattr(native, "BUILD_DIR", tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "_ofx_host", raising=False)
    with pytest.raises(ImportError, match="cmake -S tests/ofx_host"):
        native.load()
