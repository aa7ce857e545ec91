from __future__ import annotations

import pytest
import torch

from model.fill_mask import fill_mask


def mask(*rows: str) -> torch.Tensor:
    return torch.tensor([[[[letter == "#" for letter in row] for row in rows]]])


def test_a_narrow_run_is_a_seam_and_a_wide_one_a_hole() -> None:
    given = mask("##..###...#")
    assert torch.equal(fill_mask(given, seam_px=3, grow_px=0), mask("....###...."))


def test_a_ragged_end_beside_a_hole_belongs_to_it() -> None:
    given = mask("..###..", "...##..", "......#")
    assert torch.equal(fill_mask(given, seam_px=3, grow_px=0), mask("..###..", "...##..", "......."))


@pytest.mark.parametrize("seam_px", [0.0, 1.4])
def test_without_a_seam_width_the_mask_stays(seam_px: float) -> None:
    given = mask("#.#.##")
    assert fill_mask(given, seam_px, grow_px=0) is given


def test_growing_is_a_square_and_does_not_grow_seams() -> None:
    given = mask(".......", ".###..#", ".......")
    assert torch.equal(fill_mask(given, seam_px=2, grow_px=1), mask("#####..", "#####..", "#####.."))


@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 1), (1, 3)])
def test_tiny_frames_keep_a_mask_that_covers_them(height: int, width: int) -> None:
    given = torch.ones(2, 1, height, width, dtype=torch.bool)
    assert torch.equal(fill_mask(given, seam_px=6, grow_px=2), given)
