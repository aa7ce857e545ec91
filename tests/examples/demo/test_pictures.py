"""Written pictures: display range, order of channels, size of the contact sheet."""

from __future__ import annotations

import cv2
import numpy as np

from examples.demo.pictures import LABEL_HEIGHT_PX, Movie, contact_sheet, to_bgr8, write_png


def test_values_outside_the_display_range_clamp_and_channels_swap():
    picture = np.array([[[2.0, 0.5, -1.0, 0.25]]], np.float32)  # RGBA
    assert to_bgr8(picture).tolist() == [[[0, 128, 255]]]


def test_png_comes_back_as_it_was(tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (6, 8, 3)).astype(np.float32) / np.float32(255)
    path = write_png(tmp_path / "picture.png", picture)
    np.testing.assert_array_equal(cv2.imread(str(path)), to_bgr8(picture))


def test_movie_has_as_many_frames_as_were_added(tmp_path):
    with Movie(tmp_path / "movie.mp4", 25.0, 64, 48) as movie:
        for shade in (0.0, 0.5, 1.0):
            movie.add(np.full((48, 64, 3), shade, np.float32))
    reader = cv2.VideoCapture(str(tmp_path / "movie.mp4"))
    shades = []
    while (decoded := reader.read())[0]:
        shades.append(float(decoded[1].mean()))
    assert len(shades) == 3
    assert shades == sorted(shades) and shades[2] > 240 and shades[0] < 15


def test_contact_sheet_is_a_table_under_its_titles():
    white, black = np.ones((10, 20, 3), np.float32), np.zeros((10, 20, 3), np.float32)
    sheet = contact_sheet([[white, black], [black, white]], ("first", "second"), cell_width_px=20)
    assert sheet.shape == (LABEL_HEIGHT_PX + 20, 40, 3)
    cells = sheet[LABEL_HEIGHT_PX:]
    assert cells[:10, :20].min() == cells[10:, 20:].min() == 1
    assert cells[:10, 20:].max() == cells[10:, :20].max() == 0
