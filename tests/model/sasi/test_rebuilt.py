"""Maps that are built again give what maps that are kept give: bits, but for the last one of an exponential."""

from dataclasses import fields

import pytest
import torch

from model.sasi import lite, memory
from model.sasi.conditions import FrameMaps, prepare_conditions
from model.sasi.rebuilt import RebuiltConditions
from model.sasi.tokens import keep_index, token_mask

ROUNDING = 1e-6
"""Vectors of other lengths end elsewhere, and their last elements are computed by other instructions."""


@pytest.fixture
def moving() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """20 frames of a background that moves under a near object: other frames show what is hidden in this one."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(1, 3, 12, 35, generator=generator)
    wide = torch.nn.functional.interpolate(coarse, (48, 140), mode="bicubic").clamp(0, 1)
    view = torch.cat([wide[..., 2 * t : 2 * t + 96] for t in range(20)])
    hole, disparity = torch.zeros(20, 1, 48, 96, dtype=torch.bool), torch.zeros(20, 1, 48, 96)
    disparity[..., 20:32] = 9.0
    hole[..., 32:41] = True
    hole[7] = False
    return view, hole, disparity


def test_frames_are_those_that_are_kept(moving):
    kept, rebuilt = prepare_conditions(*moving, window_length=20), RebuiltConditions(*moving)
    assert kept.confidence.max() > 0.1  # else nothing of other frames would be compared
    for number in range(20):
        one, other = kept.frame(number), rebuilt.frame(number)
        assert {field.name for field in fields(FrameMaps)} < {field.name for field in fields(one)}
        assert all(torch.equal(getattr(one, field.name), getattr(other, field.name)) for field in fields(FrameMaps))
        torch.testing.assert_close(other.time, one.time, atol=ROUNDING, rtol=0)
        torch.testing.assert_close(other.confidence, one.confidence, atol=ROUNDING, rtol=0)


def test_parts_hold_each_kept_token_once_and_none_more_than_asked(moving):
    kept = keep_index(token_mask(moving[1], 8), torch.arange(100, 120), dilation=3)
    for conditions in (prepare_conditions(*moving, window_length=20), RebuiltConditions(*moving)):
        parts = list(conditions.parts(kept, at_once=5))
        assert [row for part in parts for row in range(part.rows.start, part.rows.stop)] == list(range(len(kept)))
        assert torch.equal(torch.cat([part.index.place for part in parts]), kept.place)
        assert max(len(part.index) for part in parts) == 5


@pytest.mark.parametrize("settings", [{}, {"steps": 2, "temporal_stride": 10}, {"max_width": 64}], ids=str)
def test_a_frugal_fill_is_the_fill(tiny_inpainter, moving, settings):
    whole, frugal = (tiny_inpainter.fill(*moving, first_frame=3, frugal=frugal, **settings) for frugal in (False, True))
    torch.testing.assert_close(frugal.view, whole.view, atol=ROUNDING, rtol=0)
    assert frugal.retention == whole.retention


def test_a_fill_that_would_not_fit_into_free_memory_is_frugal_at_once(tiny_inpainter, moving, monkeypatch):
    view, hole, disparity = (x[:2] for x in moving)
    built = []
    monkeypatch.setattr(lite, "RebuiltConditions", lambda *window: built.append(1) or RebuiltConditions(*window))
    needed = view[:, :1].numel() * memory.BYTES_PER_PIXEL
    for free in (needed * 2, needed, None):
        monkeypatch.setattr(memory, "free_bytes", lambda device, free=free: free)
        tiny_inpainter.fill(view, hole, disparity)
        built.append(0)
    assert built == [0, 1, 0, 0]


def test_free_memory_is_known_on_linux():
    free = memory.free_bytes(torch.device("cpu"))
    assert free is None or free > 0
