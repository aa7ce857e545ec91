from __future__ import annotations

import cv2
import numpy as np

from service.batch.outputs.contact_sheet import save_sheet, save_strip

ROW_PX = 120 + 16 + 4  # a 2:1 picture at 240 px, its caption, the gap


def strips(folder, count: int) -> list:
    """Gray strips, each a little brighter."""
    paths = []
    for number in range(count):
        picture = np.full((3, 50, 100), number / 255, np.float32)
        paths.append(folder / f"{number:03}.png")
        save_strip(paths[-1], [(str(number), picture)])
    return paths


def rows_of(path) -> list[int]:
    sheet = cv2.imread(str(path))
    assert sheet is not None
    return [int(sheet[at + 60, 200, 0]) for at in range(0, sheet.shape[0], ROW_PX)]


def test_a_long_clip_shows_eight_rows_from_its_first_to_its_last_part(tmp_path):
    save_sheet(tmp_path / "sheet.png", strips(tmp_path, 71))
    assert rows_of(tmp_path / "sheet.png") == [0, 10, 20, 30, 40, 50, 60, 70]


def test_a_short_clip_shows_every_part(tmp_path):
    save_sheet(tmp_path / "sheet.png", strips(tmp_path, 3))
    assert rows_of(tmp_path / "sheet.png") == [0, 1, 2]


def test_colours_are_right_and_values_beyond_white_are_white(tmp_path):
    picture = np.zeros((4, 50, 100), np.float32)
    picture[0], picture[1] = 7.0, np.nan
    save_strip(tmp_path / "s.png", [("red", picture)])
    image = cv2.imread(str(tmp_path / "s.png"))
    assert image is not None
    assert image[60, 120].tolist() == [0, 0, 255], "OpenCV reads blue, green, red"


def test_without_strips_there_is_no_sheet(tmp_path):
    save_sheet(tmp_path / "sheet.png", [])
    assert not (tmp_path / "sheet.png").exists()
