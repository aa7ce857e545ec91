import cv2
import numpy as np
import pytest

from model.data.layered_scenes import layered_scene
from model.evaluate import __main__ as command


def run(monkeypatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["model.evaluate", *map(str, arguments)])
    return command.main()


def test_the_command_prints_the_tables_that_are_asked_for(folder, weights, tmp_path, monkeypatch, capsys):
    sheet = tmp_path / "sheet.jpg"
    options = ("--weights", weights, "--size", 64, 96, "--frames", 2, "--windows", 1, "--pictures", sheet)
    assert run(monkeypatch, folder, *options, "--tables", "holes") == 0
    out = capsys.readouterr().out
    assert out.startswith("Weights tiny")
    assert "## holes" in out
    assert "| far.png |" in out
    assert "## flicker" not in out
    assert sheet.exists()


def test_the_table_holes_draws_every_window_once_pictures_and_all(folder, weights, tmp_path, monkeypatch):
    drawn = []

    def counted(*arguments):
        drawn.append(arguments)
        return layered_scene(*arguments)

    monkeypatch.setattr("model.evaluate.windows.layered_scene", counted)
    monkeypatch.setattr("model.evaluate.windows._LEAST_HOLE", 0.0)  # else some are drawn until they have holes
    options = ("--weights", weights, "--size", 64, 96, "--frames", 1, "--windows", 3)
    assert run(monkeypatch, folder, *options, "--tables", "holes", "--pictures", tmp_path / "sheet.png") == 0
    assert len(drawn) == 2 * 3


def test_media_that_hide_nothing_are_told(weights, tmp_path, monkeypatch, capsys):
    (tmp_path / "flat").mkdir()
    cv2.imwrite(str(tmp_path / "flat" / "grey.png"), np.full((96, 128, 3), 128, np.uint8))
    options = ("--weights", weights, "--size", 64, 96, "--frames", 1, "--max-disparity", 0)
    assert run(monkeypatch, tmp_path / "flat", *options, "--tables", "inpainting") == 2
    assert "hides anything" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--size", 100, 96), "multiples of 16"),
        (("--include", "nothing*"), "found none"),
        (("--weights", "unheard-of"), "no weights"),
        (("--threads", 0), "at least 1"),
        (("--size", 64, 96, "--frames", 1, "--tables", "holes", "--pictures", "sheet.unknown"), ".jpg or .png"),
    ],
)
def test_wrong_input_is_told_and_exits_2(folder, monkeypatch, capsys, options, message):
    assert run(monkeypatch, folder, *options) == 2
    assert message in capsys.readouterr().err
