from itertools import pairwise

import pytest
import torch

from model.sasi import lite
from model.sasi.config import SasiConfig
from model.sasi.parts import Part, frames_around, free_bytes, plan_parts


def test_what_fits_is_one_part():
    assert plan_parts(81, frame_bytes=10, free_bytes=10_000, around=14) == [Part(0, 81, 0, 81)]
    assert plan_parts(81, frame_bytes=10, free_bytes=None, around=14) == [Part(0, 81, 0, 81)]


def test_parts_and_what_they_see_fit_into_free_memory():
    parts = plan_parts(81, frame_bytes=10, free_bytes=550, around=14)
    assert [(part.start, part.end) for part in parts][:2] == [(0, 16), (16, 32)]
    assert parts[-1].end == 81
    for part, following in pairwise(parts):
        assert part.end == following.start
    for part in parts:
        assert (part.last - part.first) * 10 <= 0.8 * 550
        assert part.first == max(0, part.start - 14) and part.last == min(81, part.end + 14)


def test_parts_are_never_shorter_than_what_they_see_to_each_side():
    parts = plan_parts(81, frame_bytes=10, free_bytes=0, around=14)
    assert [part.end - part.start for part in parts] == [14, 14, 14, 14, 14, 11]


@pytest.mark.parametrize("frames", [1, 17, 33, 42])
def test_a_window_of_which_parts_would_see_nearly_all_stays_whole(frames):
    assert plan_parts(frames, frame_bytes=10, free_bytes=0, around=14) == [Part(0, frames, 0, frames)]


def test_the_shipped_network_looks_14_frames_to_each_side():
    assert frames_around(SasiConfig()) == 8 + 3 + 3


def test_free_memory_is_known_on_linux():
    free = free_bytes(torch.device("cpu"))
    assert free is None or free > 0


def test_parts_give_what_the_whole_window_gives(tiny_inpainter, monkeypatch):
    """A background that moves shows in other frames what is hidden in this one, and the untrained head trusts it."""
    torch.manual_seed(0)
    wide = torch.nn.functional.interpolate(torch.rand(1, 3, 12, 35), (48, 140), mode="bicubic").clamp(0, 1)
    view = torch.cat([wide[..., 2 * t : 2 * t + 96] for t in range(20)])
    hole, disparity = torch.zeros(20, 1, 48, 96, dtype=torch.bool), torch.zeros(20, 1, 48, 96)
    disparity[..., 20:32] = 9.0
    hole[..., 32:41] = True
    whole = tiny_inpainter.fill(view, hole, disparity, first_frame=3)
    told, asked = [], []

    def in_fours(frames, frame_bytes, free, around):
        asked.append(around)
        starts = range(0, frames, 4)
        return [Part(s, s + 4, max(0, s - around), min(s + 4 + around, frames)) for s in starts]

    monkeypatch.setattr(lite, "plan_parts", in_fours)
    parts = tiny_inpainter.fill(view, hole, disparity, first_frame=3, progress=lambda _, done: told.append(done))
    assert asked == [8 + 3]
    torch.testing.assert_close(parts.view, whole.view, atol=1e-5, rtol=0)
    assert told == sorted(told) and told[-1] == 1.0
    monkeypatch.setattr(lite, "frames_around", lambda config: 2)
    nearer = tiny_inpainter.fill(view, hole, disparity, first_frame=3)
    assert (nearer.view - whole.view).abs().max() > 1e-3


def test_a_limit_divides_what_free_memory_would_not(tiny_inpainter, monkeypatch):
    given = []
    monkeypatch.setattr(lite, "plan_parts", lambda frames, size, free, around: given.append(free) or [Part(0, 1, 0, 1)])
    monkeypatch.setattr(lite, "free_bytes", lambda device: 10**9)
    view, hole = torch.rand(1, 3, 32, 32), torch.zeros(1, 1, 32, 32, dtype=torch.bool)
    hole[..., 8:12] = True
    for limit in (None, 10**6):
        tiny_inpainter.memory_limit_bytes = limit
        tiny_inpainter.fill(view, hole, torch.zeros(1, 1, 32, 32))
    assert given == [10**9, 10**6]
