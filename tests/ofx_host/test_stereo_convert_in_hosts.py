"""The built effect in every host: equal bits in any order, nothing leaked, nothing unwritten, nothing stale.

Most tests fill single frames with the stretched background: that is quick and needs no weights, and all else is as
with longer windows and SASI.
"""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from tests.ofx_host import PERSONALITIES, ArrayClip, Host, RenderFailed, pixels
from tests.ofx_host.native import ROOT
from tests.ofx_host.personality import HOST_DEMO
from tests.ofx_host.private_service import BUNDLE
from tests.ofx_host.render_orders import SMALL, hashes_in, moving_frames

pytestmark = [pytest.mark.host, pytest.mark.usefixtures("service")]

QUICK = {"engine": "Stretch background", "window": "Single frame"}
FLOAT_HOSTS = [name for name in PERSONALITIES if name != "melt"]  # the others convert to bytes and know no other time


@pytest.fixture
def stereo():
    """Makes the effect over moving frames in a host, and afterwards checks that no rule was broken."""
    hosts = []

    def make(personality="nuke", source=None, *, context="Filter", host_changes=None, first=0, **params):
        hosts.append(Host(personality, **(host_changes or {})))
        effect = hosts[-1].load(BUNDLE).create(context, **(QUICK | params))
        clip = moving_frames() if source is None else source
        effect.set_clip("Source", clip if isinstance(clip, ArrayClip) else ArrayClip(clip, first=first))
        return effect

    yield make
    for host in hosts:
        host.close()
        host.check()


@pytest.fixture(scope="module")
def bits_of_two_processes(service):
    """Hashes of every frame in every host, from two processes that run at once: one forwards, one backwards."""
    command = [sys.executable, "-m", "tests.ofx_host.render_orders"]
    started = [
        subprocess.Popen([*command, order], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for order in ("forward", "backward")
    ]
    results = []
    for process in started:
        output, errors = process.communicate(timeout=240)
        assert process.returncode == 0, errors
        results.append(json.loads(output))
    return results


@pytest.mark.parametrize("personality", PERSONALITIES)
def test_any_order_and_any_process_give_equal_bits(bits_of_two_processes, personality):
    forward, backward = (result[personality] for result in bits_of_two_processes)
    shuffled = {str(time): value for time, value in hashes_in(personality, "shuffled").items()}
    assert forward == backward == shuffled
    assert len(set(forward.values())) == 20


def test_all_float_hosts_give_equal_bits(stereo):
    pictures = [stereo(name, disparity=4.0, window="17 frames").render(9) for name in FLOAT_HOSTS]
    for picture in pictures[1:]:
        np.testing.assert_array_equal(picture, pictures[0])


@pytest.mark.parametrize("personality", PERSONALITIES)
def test_no_frame_is_stale_after_a_setting_changed(stereo, personality):
    effect = stereo(personality, disparity=2.0)
    before = effect.render(5)
    effect.set("disparity", 6.0)
    changed = effect.render(5)
    effect.set("disparity", 2.0)
    assert not np.array_equal(before, changed)
    np.testing.assert_array_equal(effect.render(5), before)


@pytest.mark.parametrize("personality", FLOAT_HOSTS)
def test_a_replaced_source_is_seen(stereo, personality):
    effect = stereo(personality)
    before = effect.render(5)
    effect.set_clip("Source", ArrayClip(moving_frames()[::-1].copy()))
    assert not np.array_equal(effect.render(5), before)


@pytest.mark.parametrize("personality", PERSONALITIES)
def test_frames_at_once_on_one_instance_equal_frames_in_turn(stereo, personality):
    effect = stereo(personality, disparity=3.3, window="17 frames")
    together = effect.render_many(range(8), threads=4)
    in_turn = list(effect.render_range(range(8)))
    np.testing.assert_array_equal(together, in_turn)


@pytest.mark.parametrize("personality", PERSONALITIES)
def test_the_left_eye_is_the_source_bit_for_bit(stereo, personality):
    frame = moving_frames()[3]
    expected = pixels.to_depth(frame, "Byte") if personality == "melt" else frame
    np.testing.assert_array_equal(stereo(personality, output="Left eye").render(3), expected)


@pytest.mark.parametrize("personality", PERSONALITIES)
def test_the_right_eye_is_another_picture_than_the_left(stereo, personality):
    right = stereo(personality, disparity=6.0).render(8)
    left = stereo(personality, output="Left eye").render(8)
    assert right.shape == left.shape
    assert np.mean(right != left) > 0.2


@pytest.mark.parametrize("depth", ["Byte", "Short", "Half", "Float"])
def test_every_pixel_depth_is_kept(stereo, depth):
    source = np.stack([pixels.to_depth(frame, depth) for frame in moving_frames()])
    picture = stereo("strict", source, output="Occlusion mask").render(7)
    assert pixels.depth_of(picture) == depth
    right = stereo("strict", source, disparity=0.0).render(7)
    np.testing.assert_array_equal(right, source[7])


def test_rgb_without_alpha_is_converted(stereo):
    rgba = stereo("natron").render(6)
    rgb = stereo("natron", moving_frames(channels=3)).render(6)
    np.testing.assert_array_equal(rgb, rgba[..., :3])


def test_a_clip_of_alpha_alone_arrives_as_grey(stereo):
    effect = stereo("strict", moving_frames()[..., :1])
    assert effect.instance.footage.formats["Source"] == ("Float", "RGBA")
    picture = effect.render(4)
    np.testing.assert_array_equal(picture[..., 0], picture[..., 1])


@pytest.mark.parametrize("personality", FLOAT_HOSTS)
def test_a_window_at_the_ends_of_the_clip_reads_no_frame_beyond_them(stereo, personality):
    effect = stereo(personality, first=100, window="17 frames")
    for time in (100, 119):
        assert np.isfinite(effect.render(time)).all()
    times = {time for _, time, _ in effect.host.reads}
    # Windows keep 13 frames: that of 100 begins at 7 x 13 - 2 = 89, that of 119 at 9 x 13 - 2 = 115.
    assert times == {*range(100, 106), *range(115, 120)}


def test_melt_shows_frames_that_depend_on_the_current_one_only(stereo):
    picture = stereo("melt", window="17 frames").render(9)
    alone = stereo("melt", moving_frames()[9:10], first=9, window="17 frames").render(9)
    np.testing.assert_array_equal(picture, alone)


def test_a_tile_equals_its_part_of_the_whole(stereo):
    effect = stereo("nuke")
    whole = effect.render(4)
    tile = effect.render(4, window=(32, 8, 80, 40))
    np.testing.assert_array_equal(tile[24:56, 32:80], whole[24:56, 32:80])  # rows from the top: 64 - 40 .. 64 - 8


def test_half_render_scale_gives_half_the_picture(stereo):
    assert stereo("nuke", disparity=5.0).render(4, scale=0.5).shape == (32, 48, 4)


def test_a_picture_away_from_the_origin_is_converted_alike(stereo):
    here = stereo("natron").render(2)
    there = stereo("natron", ArrayClip(moving_frames(), origin=(-40, 17))).render(2)
    np.testing.assert_array_equal(there, here)


@pytest.mark.parametrize(
    ("output", "factor"), [("Side by side, full width", (1, 2)), ("Top and bottom, full height", (2, 1))]
)
def test_full_layouts_grow_where_the_host_lets_them(stereo, output, factor):
    picture = stereo("nuke", output=output).render(3)
    assert picture.shape == (64 * factor[0], 96 * factor[1], 4)
    left_or_top = picture[:64, :96]
    np.testing.assert_array_equal(left_or_top, moving_frames()[3])


@pytest.mark.parametrize("personality", ["resolve", "melt"])
def test_full_layouts_are_refused_where_the_output_cannot_grow(stereo, personality):
    with pytest.raises(RenderFailed, match="half-size layout"):
        stereo(personality, output="Side by side, full width").render(3)


def test_resolve_gets_the_source_for_the_left_eye_of_a_stereo_timeline(stereo):
    effect = stereo("resolve", disparity=6.0)
    np.testing.assert_array_equal(effect.render(5, eye=0), moving_frames()[5])
    assert not np.array_equal(effect.render(5, eye=1), moving_frames()[5])


@pytest.mark.parametrize("unset", ["unconnected", "connected-black", "connected-null"])
def test_a_depth_clip_that_is_not_there_does_not_disturb_estimation(stereo, unset):
    picture = stereo("resolve", host_changes={"unset_clip": unset}).render(5)
    np.testing.assert_array_equal(picture, stereo("resolve").render(5))


@pytest.mark.parametrize("unset", ["unconnected", "connected-null"])
def test_a_missing_depth_clip_is_said_when_it_is_asked_for(stereo, unset):
    effect = stereo("resolve", host_changes={"unset_clip": unset}, depth_source="Depth clip")
    with pytest.raises(RenderFailed, match="Depth"):
        effect.render(5)


def test_settings_may_be_animated(stereo):
    effect = stereo("nuke", disparity={0: 1.0, 10: 5.0})
    fixed = stereo("nuke", disparity=3.0)
    np.testing.assert_array_equal(effect.render(5), fixed.render(5))


def test_sasi_gives_equal_bits_in_any_order(stereo):
    frames = moving_frames(size=SMALL)
    sasi = {"engine": "SASI", "window": "17 frames", "disparity": 8.0}
    try:
        forward = list(stereo("natron", frames, **sasi).render_range([3, 14]))
    except RenderFailed as failure:
        if "weights" not in str(failure):
            raise
        pytest.skip(f"this service has no weights: {failure}")
    backward = list(stereo("resolve", frames, **sasi).render_range([14, 3]))[::-1]
    np.testing.assert_array_equal(forward, backward)
    stretched = stereo("natron", frames, **sasi | {"engine": "Stretch background"}).render(3)
    assert not np.array_equal(forward[0], stretched)


def test_a_host_whose_getters_fail_gets_the_defaults(stereo):
    frames = moving_frames(size=(16, 24))
    defaults = {"engine": "SASI", "window": "17 frames"}
    try:
        without = stereo(HOST_DEMO, frames, engine="None (holes)", disparity=9.0).render(4)
    except RenderFailed as failure:
        if "weights" not in str(failure):
            raise
        pytest.skip(f"this service has no weights: {failure}")
    expected = stereo("natron", frames, host_changes={"depths": ("Byte",)}, **defaults).render(4)
    np.testing.assert_array_equal(without, expected)
