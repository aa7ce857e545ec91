"""A render through the real binary, a headless host and the real server: the right pixels in the right place."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tests.ofx_host import PERSONALITIES, ArrayClip, RenderFailed
from tests.ofx_plugin.formula_service import formula

pytestmark = pytest.mark.host


def expected(shot: np.ndarray, number: int, **settings) -> np.ndarray:
    return formula(shot[number], number, **settings)


@pytest.mark.parametrize("personality", sorted(set(PERSONALITIES) - {"melt"}))
@pytest.mark.parametrize("order", [range(30), range(29, -1, -1), np.random.default_rng(0).permutation(30)], ids=str)
def test_every_host_gets_the_right_eye_in_any_order(make_effect, service, shot, clip, personality, order):
    effect = make_effect(personality, service.address)
    effect.set_clip("Source", clip)
    for number in map(int, order):
        np.testing.assert_array_equal(effect.render(number), expected(shot, number))
    effect.check()


def test_host_without_temporal_access_gets_windows_of_one_frame(make_effect, service, shot):
    effect = make_effect("melt", service.address)
    effect.set_clip("Source", ArrayClip(shot, depth="Byte"))
    picture = effect.render(7)
    assert picture.dtype == np.uint8
    np.testing.assert_allclose(picture / 255.0, np.clip(expected(shot, 7), 0, 1), atol=1.1 / 255)
    assert service.model.windows == [(7, 1, (0,))]


@pytest.mark.parametrize("depth", ["Byte", "Short", "Half", "Float"])
@pytest.mark.parametrize("channels", [3, 4])
def test_all_pixel_types_come_back_in_their_own_type(make_effect, service, shot, depth, channels):
    effect = make_effect("strict", service.address)
    clip = ArrayClip(shot[..., :channels], depth=depth)
    effect.set_clip("Source", clip)
    picture = effect.render(3)
    assert picture.dtype == clip.frame(3).dtype and picture.shape[2] == channels
    scale = {"Byte": 255, "Short": 65535}.get(depth, 1)
    wanted = np.clip(expected(shot[..., :channels], 3), 0, 1)
    np.testing.assert_allclose(
        picture.astype(float) / scale, wanted, atol={"Byte": 4e-3, "Half": 1e-3}.get(depth, 2e-5)
    )


def test_a_window_is_computed_once_for_all_its_frames(make_effect, service, clip):
    effect = make_effect("strict", service.address)
    effect.set_clip("Source", clip)
    for number in itertools.chain(range(26), range(26)):
        effect.render(number)
    assert [window[:2] for window in service.model.windows] == [(-2, 17), (11, 17)]
    assert set(service.model.windows[0][2]) == set(range(2, 15)), "all kept frames, none of the context"


def test_the_frame_that_is_asked_for_comes_first_and_none_beyond_the_clip(make_effect, service, clip):
    effect = make_effect("strict", service.address)
    effect.set_clip("Source", clip)
    effect.render(28)
    first_frame, _, wanted = service.model.windows[0]
    assert [first_frame + index for index in wanted] == [28, 29, 26, 27]


def test_renders_of_one_window_at_once_ask_the_service_once(make_effect, service, shot, clip):
    effect = make_effect("natron", service.address)
    effect.set_clip("Source", clip)
    for number, picture in zip(range(8), effect.render_many(range(8), threads=4), strict=True):
        np.testing.assert_array_equal(picture, expected(shot, number))
    assert len(service.model.windows) == 1


def test_no_stale_frame_after_a_setting_or_the_source_changed(make_effect, service, shot, clip):
    effect = make_effect("strict", service.address)
    effect.set_clip("Source", clip)
    effect.render(4)
    effect.set("disparity", 4.0)
    np.testing.assert_array_equal(effect.render(4), expected(shot, 4, disparity=4.0))
    changed = shot.copy()
    changed[9] = 0  # another frame of the window; frame 4 itself is the same
    effect.set_clip("Source", ArrayClip(changed))
    effect.render(4)
    assert len(service.model.windows) == 3
    effect.set_clip("Source", clip)
    effect.set("disparity", 2.5)
    np.testing.assert_array_equal(effect.render(4), expected(shot, 4))
    assert len(service.model.windows) == 3, "the first result is still known"


def test_keyframes_give_each_frame_its_own_setting(make_effect, service, shot, clip):
    effect = make_effect("strict", service.address, disparity={0: 1.0, 4: 3.0})
    effect.set_clip("Source", clip)
    for number, disparity in ((0, 1.0), (2, 2.0), (4, 3.0), (6, 3.0)):
        np.testing.assert_allclose(effect.render(number), expected(shot, number, disparity=disparity), atol=1e-6)
    assert [len(wanted) for _, _, wanted in service.model.windows] == [1, 1, 9], "6 has the setting of 4"


def test_missing_pictures_are_replaced_by_the_nearest_towards_the_frame(make_effect, service, shot, clip):
    holes = [None if number in (3, 8) else frame for number, frame in enumerate(shot)]
    effect = make_effect("strict", service.address)
    effect.set_clip("Source", ArrayClip(holes))
    np.testing.assert_array_equal(effect.render(5), expected(shot, 5))
    with pytest.raises(RenderFailed, match="no picture at frame 8"):
        effect.render(8)


def test_frames_that_repeat_are_kept_once_and_each_has_its_own_right_eye(make_effect, service, shot):
    still = np.repeat(shot[:1], 30, axis=0)
    effect = make_effect("natron", service.address)
    effect.set_clip("Source", ArrayClip(still))
    seen = []
    service.model.before_window = lambda window: seen.append(len({frame.tobytes() for frame in window.frames}))
    for number in (4, 5, 12):
        np.testing.assert_array_equal(effect.render(number), formula(still[0], number))
    assert seen == [1]


def test_window_of_a_retimed_clip_keeps_the_fraction(make_effect, service, clip):
    effect = make_effect("strict", service.address)
    effect.set_clip("Source", clip)
    effect.host.forget()
    effect.render(5.5)
    times = {time for name, time, _ in effect.host.reads if name == "Source"}
    assert times == {0.0} | {number + 0.5 for number in range(15)}


def test_part_of_a_frame_leaves_the_rest_alone(make_effect, service, shot, clip):
    effect = make_effect("nuke", service.address)
    effect.set_clip("Source", clip)
    whole = effect.render(2)
    part = effect.render(2, window=(5, 3, 17, 11))
    np.testing.assert_array_equal(part[-11:-3, 5:17], whole[-11:-3, 5:17])
    effect.check()


def test_images_away_from_the_origin(make_effect, service, shot):
    effect = make_effect("nuke", service.address)
    effect.set_clip("Source", ArrayClip(shot, origin=(-7, 13)))
    np.testing.assert_array_equal(effect.render(2), expected(shot, 2))
    effect.check()


@pytest.mark.parametrize("source", ["positive", "negative"])
def test_rows_of_either_direction(make_effect, service, shot, source):
    effect = make_effect("nuke", service.address)
    effect.set_clip("Source", ArrayClip(shot, row=source))
    np.testing.assert_array_equal(effect.render(2), expected(shot, 2))


def test_half_scale_converts_the_half_size_picture(make_effect, service, clip):
    effect = make_effect("nuke", service.address)
    effect.set_clip("Source", clip)
    assert effect.render(2, scale=0.5).shape == (12, 20, 4)
    effect.check()


@pytest.mark.parametrize("size", [(1, 1), (1, 3), (3, 1)])
def test_tiny_frames(make_effect, service, shot, size):
    effect = make_effect("strict", service.address)
    small = np.ascontiguousarray(shot[:, : size[0], : size[1]])
    effect.set_clip("Source", ArrayClip(small))
    np.testing.assert_array_equal(effect.render(0), expected(small, 0))


def test_depth_clip_of_another_size_reaches_its_frame(make_effect, service, shot, clip):
    depth = np.random.default_rng(5).random((30, 9, 11, 4), dtype=np.float32)
    effect = make_effect("natron", service.address, depth_source="Depth clip")
    effect.set_clip("Source", clip)
    effect.set_clip("Depth", ArrayClip(depth))
    np.testing.assert_allclose(effect.render(6), expected(shot, 6, depth=depth[6, ..., 0]), atol=1e-6)
    changed = depth.copy()
    changed[6] = 0
    effect.set_clip("Depth", ArrayClip(changed))
    np.testing.assert_allclose(effect.render(6), expected(shot, 6, depth=changed[6]), atol=1e-6)


def test_depth_that_was_asked_for_and_is_not_there_is_an_error(make_effect, service, clip):
    effect = make_effect("natron", service.address, depth_source="Depth clip")
    effect.set_clip("Source", clip)
    with pytest.raises(RenderFailed, match="nothing is connected to Depth"):
        effect.render(6)


@pytest.mark.parametrize("settings", [{"disparity": 0.0}, {"output": "Left eye"}])
@pytest.mark.parametrize("personality", ["nuke", "melt"])
def test_settings_that_change_nothing_give_the_source(make_effect, runtime_dir, shot, personality, settings):
    effect = make_effect(personality, f"unix:{runtime_dir}/nobody", **settings)
    depth = "Byte" if personality == "melt" else "Float"
    clip = ArrayClip(shot, depth=depth)
    effect.set_clip("Source", clip)
    np.testing.assert_array_equal(effect.render(4), clip.frame(4))


def test_left_eye_of_a_stereo_timeline_is_the_source(make_effect, service, shot, clip):
    effect = make_effect("resolve", service.address)
    effect.set_clip("Source", clip)
    np.testing.assert_array_equal(effect.render(4, eye=0), shot[4])
    np.testing.assert_array_equal(effect.render(4, eye=1), expected(shot, 4))


def test_full_side_by_side_grows_where_the_host_allows_it(make_effect, service, shot, clip):
    effect = make_effect("nuke", service.address, output="Side by side, full width")
    effect.set_clip("Source", clip)
    picture = effect.render(4)
    np.testing.assert_array_equal(picture[:, :40], shot[4])
    np.testing.assert_array_equal(picture[:, 40:], expected(shot, 4))


def test_full_side_by_side_is_an_error_where_output_cannot_grow(make_effect, service, clip):
    effect = make_effect("resolve", service.address, output="Side by side, full width")
    effect.set_clip("Source", clip)
    with pytest.raises(RenderFailed):
        effect.render(4)


def test_frames_of_a_sequence_are_fetched_once_for_their_neighbours(make_effect, service, shot, clip):
    effect = make_effect("strict", service.address)
    effect.set_clip("Source", clip)
    effect.render(0)
    effect.host.forget()
    for number, picture in enumerate(effect.render_range(range(13))):
        np.testing.assert_array_equal(picture, expected(shot, number))
    assert len(effect.host.reads) == 15 + 12, "the window once (frames 0 to 14), then each frame itself"


def test_frames_are_fetched_anew_in_every_sequence(make_effect, service, clip):
    """Between sequences hosts may change anything upstream without telling."""
    effect = make_effect("strict", service.address)
    effect.set_clip("Source", clip)
    for number in range(3):
        effect.host.forget()
        effect.render(number)
        assert len(effect.host.reads) == 15


def test_a_clip_that_changes_in_mid_sequence_is_noticed(make_effect, service, shot, clip):
    effect = make_effect("strict", service.address)
    effect.set_clip("Source", clip)
    frames = effect.render_range([3, 4])
    next(frames)
    changed = shot.copy()
    changed[9] = 0
    effect.set_clip("Source", ArrayClip(changed))
    next(frames)
    assert len(service.model.windows) == 2


def test_the_frame_itself_is_looked_at_again_in_a_sequence(make_effect, service, shot):
    """A host that lets its graph change in mid-sequence, against the standard, still gets no stale frame."""
    frames = [frame.copy() for frame in shot]
    effect = make_effect("strict", service.address)
    effect.set_clip("Source", ArrayClip(frames))
    renders = effect.render_range([3, 4])
    next(renders)
    frames[4][:] = frames[4][::-1]
    np.testing.assert_array_equal(next(renders), formula(frames[4], 4))


def test_frames_of_other_bounds_are_cut_or_padded_to_those_of_the_frame(make_effect, service, shot):
    sizes = {4: (20, 48), 6: (30, 30)}  # height, width; (24, 40) elsewhere
    frames = [np.ones((*sizes[n], 4), np.float32) if n in sizes else frame for n, frame in enumerate(shot)]
    effect = make_effect("nuke", service.address)
    effect.set_clip("Source", ArrayClip(frames))
    seen = {}
    service.model.before_window = lambda window: seen.setdefault(window.frames.shape[2:], window.frames.copy())
    np.testing.assert_array_equal(effect.render(5), formula(shot[5], 5))
    smaller, larger = seen[24, 40][4 + 2], seen[24, 40][6 + 2]  # the window starts at -2; (C, H, W), top row first
    assert (smaller[:, 4:] == 1).all() and not smaller[:, :4].any(), "lower left corners coincide"
    assert (larger[:, :, :30] == 1).all() and not larger[:, :, 30:].any()

    picture = effect.render(4)  # of the size that the host gives Output
    np.testing.assert_array_equal(picture[4:], formula(frames[4], 4)[:, :40])
    assert not picture[:4].any(), "transparent black where the source has nothing"
