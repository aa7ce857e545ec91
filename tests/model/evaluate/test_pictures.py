import cv2
import numpy as np
import pytest

from model.errors import InvalidInputError
from model.evaluate.fills import yardsticks
from model.evaluate.pictures import save_sheet


def test_a_sheet_has_a_row_for_every_chosen_window_and_a_column_for_every_fill(window, tmp_path):
    path = tmp_path / "sheet.png"
    save_sheet(path, [window, window], yardsticks(), ("gr*",))
    sheet = cv2.imread(str(path))[..., ::-1]
    caption = sheet.shape[0] - 2 * 64
    assert 0 < caption < 40
    assert np.array_equal(sheet[caption + 25, 35], (255, 0, 255))  # the hole
    assert np.array_equal(sheet[caption + 25, 5 * 96 + 35], (128, 128, 128))  # the truth


def test_pictures_of_nothing_are_refused(window, tmp_path):
    with pytest.raises(InvalidInputError, match="nothing to picture"):
        save_sheet(tmp_path / "sheet.png", [window], {}, ("other*",))
    with pytest.raises(InvalidInputError, match="cannot be written"):
        save_sheet(tmp_path / "missing" / "sheet.png", [window], {}, ("*",))
