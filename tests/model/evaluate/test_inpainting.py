import pytest
import torch

from model.evaluate.fills import sasi, yardsticks
from model.evaluate.inpainting import (
    disparity_table,
    hole_table,
    inpainting_table,
    media_table,
    token_table,
)
from model.evaluate.scores import score_fills


@pytest.fixture
def scores(window, inpainter):
    return score_fills({**yardsticks(), "SASI": sasi(inpainter)}, [window], None)


def rows_of(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]


def test_the_hole_table_has_a_row_for_every_fill_and_push_pull_gains_nothing_over_itself(scores):
    rows = {row[0]: row for row in rows_of(hole_table(scores))}
    assert {"row fill", "Telea", "Navier-Stokes", "SASI"} < rows.keys()
    assert rows["push-pull, background only"][2:4] == ["+0.00", "+0.00 (grey)"]
    assert rows["SASI"][4] == "–"  # no edge strip


def test_the_media_table_has_a_row_for_every_medium(scores):
    assert rows_of(media_table(scores))[2][0] == "grey"


def test_table_1_runs_one_four_and_eight_calls(window, inpainter):
    names = [row[0] for row in rows_of(inpainting_table([window], inpainter, None))]
    assert names[-3:] == ["SASI tiny, NFE 1", "SASI tiny, NFE 4", "SASI tiny, NFE 8"]
    assert "GAPW stretch" in names


def test_table_4_keeps_more_tokens_with_more_dilation_and_all_without_selection(window, inpainter):
    rows = rows_of(token_table([window], inpainter, None))[2:]
    assert rows[0][:3] == ["all", "–", "100.0"]
    kept = {(row[0], row[1]): float(row[2]) for row in rows}
    # the hole touches 3x2 of 8x12 tokens in both frames; a stride keeps all of frame 0
    assert kept["1", "–"] == pytest.approx(100 * 6 / 96, abs=0.1)
    assert kept["3", "–"] == pytest.approx(100 * 20 / 96, abs=0.1)
    assert kept["1", "10"] == pytest.approx(100 * (96 + 6) / 192, abs=0.1)


def test_table_5_names_the_disparity_and_the_share_of_holes(window, inpainter):
    row = rows_of(disparity_table([(0.05, [window])], inpainter, None))[2]
    assert row[:3] == ["0.05", f"{200 / 6144:.1%}", "row fill"]


def test_an_all_tokens_fill_differs_from_a_sparse_one_only_through_context(window, inpainter):
    sparse, dense = (sasi(inpainter, dilation=1, temporal_stride=stride)(window) for stride in (0, 1))
    assert torch.equal(sparse[~window.hole.expand_as(sparse)], dense[~window.hole.expand_as(dense)])
