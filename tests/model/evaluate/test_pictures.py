from dataclasses import replace

import cv2
import numpy as np
import pytest

from model.errors import InvalidInputError
from model.evaluate.fills import yardsticks
from model.evaluate.pictures import Sheet


def test_a_sheet_has_a_row_for_every_chosen_medium_and_a_column_for_every_fill(window, tmp_path):
    path = tmp_path / "sheet.png"
    sheet = Sheet(path, ["grey", "green", "red"], ("gr*",))
    images = {name: fill(window) for name, fill in yardsticks().items()}
    for medium in ("grey", "grey", "red", "green"):
        sheet.add(replace(window, medium=medium), images)
    sheet.save()
    picture = cv2.imread(str(path))[..., ::-1]
    caption = picture.shape[0] - 2 * 64
    assert 0 < caption < 40
    assert np.array_equal(picture[caption + 25, 35], (255, 0, 255))  # the hole
    assert np.array_equal(picture[caption + 25, 5 * 96 + 35], (128, 128, 128))  # the truth


def test_pictures_that_cannot_be_are_refused_before_anything_is_measured(tmp_path):
    with pytest.raises(InvalidInputError, match="nothing to picture"):
        Sheet(tmp_path / "sheet.png", ["grey"], ("other*",))
    with pytest.raises(InvalidInputError, match="cannot be written"):
        Sheet(tmp_path / "missing" / "sheet.png", ["grey"], ("*",))
    with pytest.raises(InvalidInputError, match="cannot be written"):
        Sheet(tmp_path / "sheet.unknown", ["grey"], ("*",))
