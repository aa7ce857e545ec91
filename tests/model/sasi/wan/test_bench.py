import sys
from dataclasses import replace

import pytest
import torch

from model.sasi.wan import bench
from model.sasi.wan.bench import CPU, GPU, Timing, edges, measure, table
from model.sasi.wan.config import WanConfig

TINY = WanConfig(layers=1, heads=1, head_width=12, mlp_width=24, text_width=8, time_width=8)


def test_the_gpu_case_is_the_paper_s():
    assert GPU.grid == (21, 48, 80)
    assert GPU.config == WanConfig()
    assert GPU.dtype == torch.bfloat16


def test_holes_are_about_a_seventh_of_the_frame():
    for case in (CPU, GPU):
        assert 0.10 < edges(case.grid).float().mean() < 0.18


def test_all_tokens_and_every_dilation_are_timed():
    timings = measure(replace(CPU, config=TINY, height_px=64, width_px=128, frames=5), rounds=1)
    assert [timing.name for timing in timings] == ["all", "k = 1", "k = 3", "k = 5"]
    shares = [timing.retention for timing in timings]
    assert shares[0] == 1
    assert shares[1:] == sorted(shares[1:])
    assert all(timing.seconds > 0 for timing in timings)


def test_the_table_says_ms_a_frame_and_how_many_times_faster():
    lines = table([Timing("all", 1.0, 1.7), Timing("k = 3", 0.25, 0.17)], frames=17).splitlines()
    assert lines[2] == "| all | 100.0% | 100.00 | 1.00 |"
    assert lines[3] == "| k = 3 | 25.0% | 10.00 | 10.00 |"


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is one here")
def test_without_a_gpu_its_case_is_refused(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["bench", "--gpu"])
    assert bench.main() == 2
    assert "CUDA" in capsys.readouterr().err


@pytest.mark.gpu
def test_sparsity_pays_on_a_gpu():
    dense, *sparse = measure(GPU, rounds=3)
    assert all(timing.seconds < dense.seconds for timing in sparse)
