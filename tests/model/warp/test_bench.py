"""The bench's tables have a cell for everything asked, and rivals are fed what they expect."""

import pytest
import torch

from model.warp.bench import FLAT_PX, flat_shift, main
from model.warp.bench_quality import pair_table, quality_table
from model.warp.bench_speed import best_ms, scaled, speed_table
from model.warp.gapw import gapw
from model.warp.rivals import monotone_inverse, plain_grid_sample, row_flow_features, soft_splat
from model.warp.scenes import make_scene

WARPS = {"GAPW": gapw, "plain grid_sample": plain_grid_sample}


def cells(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line[:1] == "|"]


def test_the_speed_table_has_a_row_for_every_size_and_scene_and_multiples_of_both_copies(monkeypatch):
    monkeypatch.setattr("model.warp.bench_speed.best_ms", lambda call: 4.0 if call() is not None else 2.0)
    picture = torch.rand(1, 3, 6, 8), torch.zeros(1, 1, 6, 8)
    head, _, *rows = cells(speed_table({"one": picture, "two": picture}, WARPS, ((16, 8), (24, 12))))
    assert head == ["size", "scene", "memcpy", "GAPW / memcpy", "GAPW", "plain grid_sample"]
    assert [row[:2] for row in rows] == [[size, name] for size in ("16x8", "24x12") for name in ("one", "two")]
    # numpy's copy returns nothing (2 ms here), torch's and the warps' calls return something (4 ms).
    assert rows[0][2:] == ["2.00 / 4.00", "2.0 / 1.0", "4.0", "4.0"]


def test_a_call_is_timed_by_its_best_run(monkeypatch):
    # A clock of our own: on a busy machine the shortest sleep can take longer than the longest.
    clock = iter([0.0, 0.004, 1.0, 1.001, 2.0, 2.004])
    monkeypatch.setattr("model.warp.bench_speed.time.perf_counter", lambda: next(clock))
    assert best_ms(lambda: None, seconds=0) == pytest.approx(1)


def test_disparity_is_scaled_with_the_width_and_its_edges_stay_hard():
    disparity = torch.tensor([0.0, 0, 3, 3]).expand(1, 1, 2, 4)
    _, larger = scaled(torch.rand(1, 3, 2, 4), disparity, 8, 4)
    assert larger[0, 0, 0].tolist() == [0, 0, 0, 0, 6, 6, 6, 6]


def test_the_quality_tables_have_a_row_for_every_warp():
    scene = make_scene(3, (80, 48), 6)
    head, _, *rows = cells(quality_table({"plain": [scene]}, WARPS))
    assert head == ["warp", "plain"]
    assert [row[0] for row in rows] == list(WARPS)
    left, right = (torch.from_numpy(eye)[None] for eye in (scene.left, scene.right))
    disparity = torch.from_numpy(scene.disparity)[None, None]
    _, _, *rows = cells(pair_table({"scene": (left, right, disparity)}, WARPS))
    decibels = {row[0]: float(row[1].split(" / ")[1]) for row in rows}
    assert decibels["GAPW"] > decibels["plain grid_sample"]


@pytest.mark.parametrize("warp", [gapw, monotone_inverse, plain_grid_sample, soft_splat])
def test_warps_of_our_own_move_a_flat_scene_by_its_disparity(warp):
    assert flat_shift(warp) == pytest.approx(FLAT_PX, abs=1e-2)


@pytest.mark.parametrize(("low", "high", "factor"), [(-24, 24, 3), (2, 12, 1), (-9, -1, 1), (6, 6, 1), (0, 0, 1)])
def test_row_flow_reads_the_disparity_within_the_range_it_was_trained_for(low, high, factor):
    disparity = torch.linspace(low, high, 48 * 24).reshape(1, 1, 24, 48)
    depth, divergence, convergence = row_flow_features(disparity)[0]
    assert depth.shape == (24 // factor, 48 // factor)
    assert depth.min() >= 0
    assert depth.max() <= 1
    assert divergence.max() <= 0.5
    assert convergence.min() >= -divergence.max() - 1e-6
    assert convergence.max() <= 0
    told_px = 32 * factor * (depth * divergence + convergence)
    assert torch.allclose(told_px, disparity[0, 0, factor // 2 :: factor, factor // 2 :: factor], atol=1e-4)


@pytest.mark.parametrize("folder", ["missing", "."])
def test_a_folder_without_textures_is_told_and_exits_2(tmp_path, monkeypatch, capsys, folder):
    monkeypatch.setattr("sys.argv", ["model.warp.bench", "--textures", str(tmp_path / folder)])
    assert main() == 2
    assert "must name a folder of JPEG or PNG pictures" in capsys.readouterr().err


def test_a_broken_pair_is_told_and_exits_2(tmp_path, monkeypatch, capsys):
    for name in ("aloeL.jpg", "aloeR.jpg", "aloeGT.png"):
        (tmp_path / name).write_bytes(b"no picture")
    monkeypatch.setattr("sys.argv", ["model.warp.bench", "--scenes", "1", "--pairs", str(tmp_path)])
    monkeypatch.setattr("model.warp.bench.KINDS", ())
    assert main() == 2
    assert "aloeL.jpg must be a picture" in capsys.readouterr().err
