import sys

import cv2
import numpy as np
import torch

from model.data.real_pairs import RealPair
from model.depth import range_stability
from model.depth.range_stability import measure, scenes


def test_objects_are_nearer_than_the_scene_and_leave_most_of_it_free():
    nearness = torch.linspace(1, 4, 160).expand(1, 120, 160)
    for occupied, inside in scenes(nearness, largest=0.2):
        assert torch.equal(occupied[0][~inside], nearness[0][~inside])
        assert inside.float().mean() < 0.2
        assert not inside.any() or occupied[0][inside].min() > 4


def test_a_slope_that_shows_in_every_row_stands_still():
    disparity = np.broadcast_to(np.linspace(10, 40, 160, dtype=np.float32), (120, 160)).copy()
    steps, without, used = measure(RealPair("slope", np.zeros((120, 160, 3), np.float32), disparity), largest=0.03)
    assert np.median(steps) == 0
    assert 0.5 < without < used < 1


def test_the_command_prints_a_row_a_size(tmp_path, monkeypatch, capsys):
    cv2.imwrite(str(tmp_path / "a_left.png"), np.zeros((60, 80, 3), np.uint8))
    cv2.imwrite(str(tmp_path / "a_disparity.png"), np.tile(np.arange(20, 100, dtype=np.uint8), (60, 1)))
    monkeypatch.setattr(sys, "argv", ["range_stability", str(tmp_path)])
    assert range_stability.main() == 0
    assert capsys.readouterr().out.count("% of the frame") == 3


def test_a_folder_without_pairs_is_wrong_input(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["range_stability", str(tmp_path)])
    assert range_stability.main() == 2
    assert "expected pictures" in capsys.readouterr().err
