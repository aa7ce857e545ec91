"""A moving clip with nothing but itself: right eye and side by side as movies, and a contact sheet."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from examples.demo.effect import StereoEffect
from examples.demo.media import Image, read_frames, to_float_rgb
from examples.demo.pictures import Movie, contact_sheet, write_png
from model.layout import anaglyph

FRAMES_PER_SECOND = 25.0
SHEET_ROWS = 3
SHEET_CELL_PX = 384
SHEET_TITLES = ("left (source)", "right", "anaglyph", "disparity", "mask")


def read_clip(path: Path, count: int) -> Image:
    """The first `count` frames of a video file: (T, H, W, 3) float32 RGB, 0..1."""
    return np.stack([to_float_rgb(frame) for frame in read_frames(path, count)])


def render_movies(effect: StereoEffect, source: Image, folder: Path) -> tuple[Image, list[Path]]:
    """Render the right eye of every frame through the plugin; return it, (T, H, W, 3), and the two movies."""
    count, height_px, width_px, _ = source.shape
    right_path, both_path = folder / "bigbuckbunny_right_eye.mp4", folder / "bigbuckbunny_side_by_side.mp4"
    right_eye = np.empty_like(source)
    with (
        Movie(right_path, FRAMES_PER_SECOND, width_px, height_px) as right_movie,
        Movie(both_path, FRAMES_PER_SECOND, 2 * width_px, height_px) as both_movie,
    ):
        for number, picture in enumerate(_progress("right eye", effect.render(range(count), source), count)):
            right_eye[number] = picture[..., :3]
            right_movie.add(right_eye[number])
            both_movie.add(np.concatenate((source[number], right_eye[number]), axis=1))
    return right_eye, [right_path, both_path]


def render_sheet(effect: StereoEffect, source: Image, right_eye: Image, folder: Path) -> Path:
    """Lay a few frames out with the maps behind them, which the plugin renders, too."""
    numbers = np.linspace(0, len(source) - 1, SHEET_ROWS, dtype=int).tolist()
    wanted = [(number, output) for number in numbers for output in ("disparity", "mask")]
    maps = {
        # the maps are the same whatever fills the holes, so nothing need be filled for them
        (number, output): next(effect.render([number], source, output=output, engine="stretch"))
        for number, output in _progress("maps", wanted, len(wanted))
    }
    rows = [
        [
            source[number],
            right_eye[number],
            _anaglyph(source[number], right_eye[number]),
            maps[number, "disparity"],
            maps[number, "mask"],
        ]
        for number in numbers
    ]
    return write_png(folder / "bigbuckbunny_contact_sheet.png", contact_sheet(rows, SHEET_TITLES, SHEET_CELL_PX))


def _progress(what: str, items: Iterable[Any], count: int) -> Iterable[Any]:
    seldom_s = 0.1 if sys.stdout.isatty() else 10.0  # a log need not hold every state of the bar
    return tqdm(items, total=count, unit="frame", desc=f"     {what:<10}", file=sys.stdout, mininterval=seldom_s)


def _anaglyph(left: Image, right: Image) -> Image:
    """As the effect's own anaglyph output, from frames that are here already."""
    left_eye, right_eye = (torch.from_numpy(picture).permute(2, 0, 1)[None] for picture in (left, right))
    return anaglyph(left_eye, right_eye)[0].permute(1, 2, 0).numpy()
