"""The headless host hands pictures to a plugin and back as each real host would."""

from __future__ import annotations

import time
from collections import Counter

import numpy as np
import pytest

from tests.ofx_host import PERSONALITIES, ArrayClip, PluginRefused, RenderAborted, RenderFailed, pixels

pytestmark = pytest.mark.host

FLOAT_HOSTS = [name for name in PERSONALITIES if name != "melt"]


@pytest.mark.parametrize("personality", FLOAT_HOSTS)
def test_gain_of_two_doubles_every_float(make_gain, frames, personality):
    effect = make_gain(personality, gain=2.0)
    effect.set_clip("Source", ArrayClip(frames, first=5))
    np.testing.assert_array_equal(effect.render(7), 2 * frames[2])
    effect.check()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float16])
def test_every_depth_passes_unchanged(make_gain, frames, dtype):
    picture = (
        pixels.to_depth(frames[:1], {1: "Byte", 2: "Short"}[np.dtype(dtype).itemsize])
        if dtype != np.float16
        else frames[:1].astype(dtype)
    )
    effect = make_gain("strict")
    effect.set_clip("Source", ArrayClip(picture))
    result = effect.render(0)
    assert result.dtype == dtype
    np.testing.assert_array_equal(result, picture[0])
    effect.check()


@pytest.mark.parametrize("channels", [1, 3])
def test_rgb_and_alpha_pass_unchanged(make_gain, frames, channels):
    effect = make_gain("strict")
    effect.set_clip("Source", ArrayClip(frames[..., :channels]))
    np.testing.assert_array_equal(effect.render(3), frames[3, ..., :channels])
    effect.check()


def test_melt_works_in_bytes_and_shows_its_source_only(make_gain, frames):
    effect = make_gain("melt")
    effect.set_clip("Source", ArrayClip(frames))
    result = effect.render(4)
    np.testing.assert_array_equal(result, pixels.to_depth(frames[4], "Byte"))
    effect.check()


@pytest.mark.parametrize("row", ["positive", "negative"])
def test_row_order_does_not_show_in_the_picture(make_gain, frames, row):
    effect = make_gain("natron", host_changes={"rows": row, "padding_bytes": 12})
    effect.set_clip("Source", ArrayClip(frames, row="negative" if row == "positive" else "positive"))
    np.testing.assert_array_equal(effect.render(0), frames[0])
    effect.check()


def test_a_picture_may_lie_anywhere_in_the_plane(make_gain, frames):
    effect = make_gain("natron")
    effect.set_clip("Source", ArrayClip(frames, origin=(-7, 30)))
    np.testing.assert_array_equal(effect.render(1), frames[1])
    effect.check()


def test_tiles_together_are_the_whole(make_gain, frames):
    effect = make_gain("strict", gain=3.0)
    effect.set_clip("Source", ArrayClip(frames))
    whole = effect.render(0)
    left = effect.render(0, window=(0, 0, 10, 16))
    right = effect.render(0, window=(10, 0, 24, 16))
    np.testing.assert_array_equal(np.concatenate([left[:, :10], right[:, 10:]], axis=1), whole)
    effect.check()


def test_half_render_scale_halves_the_picture(make_gain, frames):
    effect = make_gain("nuke")
    effect.set_clip("Source", ArrayClip(frames))
    half = effect.render(0, scale=0.5)
    expected = frames[0].reshape(8, 2, 12, 2, 4).mean((1, 3))
    np.testing.assert_allclose(half, expected, atol=1e-6)
    effect.check()


@pytest.mark.parametrize("personality", ["resolve", "nuke", "natron", "strict"])
def test_another_time_gives_another_frame_and_none_outside_the_clip(make_gain, frames, personality):
    effect = make_gain(personality, offset=2)
    effect.set_clip("Source", ArrayClip(frames, first=10))
    np.testing.assert_array_equal(effect.render(12), frames[4])
    np.testing.assert_array_equal(effect.render(29), np.zeros_like(frames[0]))
    assert effect.host.reads == [("Source", 14.0, True), ("Source", 31.0, False)]
    effect.check()


def test_melt_ignores_the_time_that_is_asked_for(make_gain, frames):
    effect = make_gain("melt", offset=2)
    effect.set_clip("Source", ArrayClip(frames))
    np.testing.assert_array_equal(effect.render(4), pixels.to_depth(frames[4], "Byte"))


def test_keyed_parameters_move_between_their_keys(make_gain, frames):
    effect = make_gain("nuke", gain={0: 1.0, 10: 2.0})
    effect.set_clip("Source", ArrayClip(frames))
    assert effect.get("gain", 5) == 1.5
    np.testing.assert_array_equal(effect.render(5), frames[5] * 1.5)


def test_a_choice_may_be_named_and_unknown_names_are_refused(make_gain):
    effect = make_gain("nuke", mode="Second")
    assert effect.get("mode") == 1
    with pytest.raises(ValueError, match="First, Second"):
        effect.set("mode", "Third")
    with pytest.raises(KeyError, match="gain"):
        effect.set("loudness", 1)


def test_a_button_may_change_parameters_and_the_plugin_hears_of_it(make_gain):
    effect = make_gain("natron", gain=3.0)
    effect.press("double")
    assert effect.get("gain") == 6.0
    changed = [action for action in effect.host.actions if action.endswith("InstanceChanged")]
    assert Counter(changed) == {
        "OfxActionBeginInstanceChanged": 1,
        "OfxActionInstanceChanged": 2,
        "OfxActionEndInstanceChanged": 1,
    }
    effect.check()


def test_an_identity_is_the_source_and_is_not_rendered(make_gain, frames):
    effect = make_gain("natron", bypass=1, gain=9.0)
    effect.set_clip("Source", ArrayClip(frames))
    np.testing.assert_array_equal(effect.render(6), frames[6])
    assert "OfxImageEffectActionRender" not in effect.host.actions


def test_actions_come_in_the_order_of_the_standard(make_gain, frames):
    effect = make_gain("natron")
    effect.set_clip("Source", ArrayClip(frames))
    effect.render(0)
    host = effect.host
    host.close()
    assert [
        action.removeprefix("Ofx").removeprefix("ImageEffect").removeprefix("Action") for action in host.actions
    ] == [
        "Load",
        "Describe",
        "DescribeInContext",
        "CreateInstance",
        "GetClipPreferences",
        "BeginSequenceRender",
        "GetRegionOfDefinition",
        "GetRegionsOfInterest",
        "GetFramesNeeded",
        "IsIdentity",
        "Render",
        "EndSequenceRender",
        "DestroyInstance",
        "Unload",
    ]


def test_melt_goes_through_the_whole_life_for_every_frame(make_gain, frames):
    effect = make_gain("melt")
    effect.set_clip("Source", ArrayClip(frames))
    for number in range(3):
        effect.render(number)
    effect.host.close()
    counts = Counter(effect.host.actions)
    assert counts["OfxActionCreateInstance"] == counts["OfxActionDestroyInstance"] == 3
    assert counts["OfxActionLoad"] == 4  # once more when the plugin was found
    assert counts["OfxActionUnload"] == 0


@pytest.mark.parametrize("personality", PERSONALITIES)
def test_frames_in_parallel_equal_frames_in_turn(make_gain, frames, personality):
    effect = make_gain(personality, gain=1.5)
    effect.set_clip("Source", ArrayClip(frames))
    in_turn = list(effect.render_range(range(20)))
    together = effect.render_many(range(20), threads=4)
    np.testing.assert_array_equal(in_turn, together)
    effect.check()


def test_an_abort_reaches_a_render_that_waits(make_gain, frames):
    effect = make_gain("nuke", fault="wait")
    effect.set_clip("Source", ArrayClip(frames))
    effect.abort_after(50)
    begin = time.monotonic()
    with pytest.raises(RenderAborted):
        effect.render(0)
    assert time.monotonic() - begin >= 0.05, "the effect waits for nothing else"
    assert effect.abort_polls > 1
    effect.abort_after(None)
    effect.set("fault", "")
    np.testing.assert_array_equal(effect.render(0), frames[0])
    effect.check()


@pytest.mark.parametrize("personality", ["nuke", "resolve", "melt"])
def test_a_failed_render_says_what_the_user_was_told(make_gain, frames, personality):
    effect = make_gain(personality, fault="fail")
    effect.set_clip("Source", ArrayClip(frames))
    with pytest.raises(RenderFailed, match="failed on purpose") as failure:
        effect.render(0)
    assert failure.value.messages == ["failed on purpose"]
    effect.check()


def test_a_persistent_message_stands_until_it_is_cleared(make_gain, frames):
    effect = make_gain("nuke", fault="fail")
    effect.set_clip("Source", ArrayClip(frames))
    with pytest.raises(RenderFailed):
        effect.render(0)
    assert effect.persistent_message == "failed on purpose"
    effect.set("fault", "")
    effect.render(0)
    assert effect.persistent_message is None


def test_a_clip_replaced_on_a_living_instance_is_seen(make_gain, frames):
    effect = make_gain("natron")
    effect.set_clip("Source", ArrayClip(frames))
    effect.render(0)
    effect.set_clip("Source", ArrayClip(frames[::-1]))
    np.testing.assert_array_equal(effect.render(0), frames[19])


def test_what_is_no_plugin_is_refused_with_a_reason(make_host, tmp_path):
    rubbish = tmp_path / "rubbish.ofx"
    rubbish.write_bytes(b"no library")
    with pytest.raises(PluginRefused, match="cannot load the plugin"):
        make_host("nuke").load(rubbish)
    with pytest.raises(PluginRefused, match="no such plugin"):
        make_host("nuke").load(tmp_path / "absent.ofx")
