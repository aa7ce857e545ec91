"""The headless host on the command line."""

from __future__ import annotations

import numpy as np
import pytest

from tests.ofx_host import read_image, write_image
from tests.ofx_host.__main__ import main

pytestmark = pytest.mark.host


@pytest.fixture
def shot(tmp_path):
    folder = tmp_path / "shot"
    folder.mkdir()
    for number in range(3):
        write_image(folder / f"{number}.png", np.full((8, 12, 3), 10 + number, np.uint8))
    return folder


def test_describe_lists_clips_and_parameters(example_plugin, capsys):
    assert main(["describe", str(example_plugin), "--personality", "nuke"]) == 0
    text = capsys.readouterr().out
    assert "org.stereoconvert.example.Gain 1.0 in Nuke" in text
    assert "clip   Depth" in text
    assert "one of First | Second; default First" in text


def test_render_writes_one_file_for_each_frame(example_plugin, shot, tmp_path):
    pattern = tmp_path / "out_%02d.png"
    code = main(
        ["render", str(example_plugin), str(shot), "-o", str(pattern), "--set", "gain=2", "--order", "backward"]
    )
    assert code == 0
    assert [int(read_image(tmp_path / f"out_{n:02d}.png").mean(axis=(0, 1))[0]) for n in range(3)] == [20, 22, 24]


def test_render_writes_a_video(example_plugin, shot, tmp_path):
    video = tmp_path / "out.mp4"
    assert main(["render", str(example_plugin), str(shot), "-o", str(video), "--frames", "0:2"]) == 0
    assert video.stat().st_size > 0


def test_broken_rules_and_failures_set_the_exit_code(example_plugin, shot, tmp_path, capsys):
    arguments = ["render", str(example_plugin), str(shot), "-o", str(tmp_path / "o.png"), "--frames", "0"]
    assert main([*arguments, "--set", "fault=overrun"]) == 1
    assert "problem  guard" in capsys.readouterr().err
    assert main([*arguments, "--set", "fault=fail"]) == 1
    assert "failed on purpose" in capsys.readouterr().err
    assert main([*arguments, "--set", "loudness=1"]) == 1
    assert "no param loudness" in capsys.readouterr().err
