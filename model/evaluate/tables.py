"""The tables of `python -m model.evaluate`, each a function from what was asked for to Markdown."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from torch import Tensor

from model.data.media import Library, MediaRules
from model.depth.estimators import find_estimator
from model.errors import InvalidInputError
from model.evaluate.conversion import conversion_table, geometry_table, read_pairs
from model.evaluate.cost import memory_table, speed_table
from model.evaluate.fills import Fill, sasi, yardsticks
from model.evaluate.flicker import flicker_table
from model.evaluate.inpainting import disparity_table, hole_table, inpainting_table, media_table, token_table
from model.evaluate.pictures import Sheet
from model.evaluate.scores import score_fills
from model.evaluate.tally import WindowTally, tallied
from model.evaluate.windows import (
    LayeredWindows,
    Window,
    WindowRules,
    footage,
    media_of,
    projection_windows,
    with_estimated_disparity,
)
from model.sasi.inpainter import Inpainter
from model.train.lpips import Lpips

DISPARITIES = (0.02, 0.05, 0.07, 0.08)
_SPEED_SIZES = ((432, 768), (720, 1280))
_SPEED_FRAMES = 17
_MEMORY_SIZES = ((17, 720, 1280), (81, 720, 1280))


@dataclass(frozen=True)
class Request:
    """What was asked for on the command line."""

    folder: Path
    rules: MediaRules
    objects: Library
    windows: WindowRules
    weights: str
    inpainter: Inpainter
    lpips: Lpips | None
    estimator: str
    disparity: float
    pairs: list[Path]
    codecs: list[Path]
    pictures: Path | None
    picture_of: tuple[str, ...]

    @cached_property
    def media(self) -> dict[str, Library]:
        """Every medium of the folder by itself."""
        return media_of(self.folder, self.rules)

    @cached_property
    def fills(self) -> dict[str, Fill]:
        """The yardsticks and ours."""
        return {**yardsticks(), f"SASI {self.inpainter.name}": sasi(self.inpainter)}

    def projected(self, disparity: float) -> list[Window]:
        """Windows of the dual projection. Raises InvalidInputError when nothing hides anything in any medium."""
        windows = projection_windows(self.media, find_estimator(self.estimator), disparity, self.windows)
        if not windows:
            raise InvalidInputError(
                f"no medium of {self.folder} has depth that hides anything at a disparity of {disparity:g} of the "
                "width; add media, or raise --max-disparity"
            )
        return windows


def holes(request: Request) -> str:
    """The drawn scenes, medium by medium, and their pictures."""
    sheet = Sheet(request.pictures, request.media, request.picture_of) if request.pictures else None
    tally = WindowTally()

    def watch(window: Window, images: dict[str, Tensor]) -> None:
        tally.add(window)
        if sheet:
            sheet.add(window, images)

    windows = LayeredWindows(request.media, request.objects, request.windows)
    scores = score_fills(request.fills, windows, request.lpips, watch)
    if sheet:
        sheet.save()
    return f"{tally}\n\n{hole_table(scores)}\n\n{media_table(scores)}"


def estimated(request: Request) -> str:
    """The drawn scenes again, with what is near known by estimated depth alone."""
    estimator = find_estimator(request.estimator)
    drawn = LayeredWindows(request.media, request.objects, request.windows)
    windows = [with_estimated_disparity(window, estimator) for window in drawn]
    scores = score_fills(request.fills, windows, request.lpips)
    return f"Depth by {estimator.name}. {tallied(windows)}\n\n{hole_table(scores)}"


def inpainting(request: Request) -> str:
    """Table 1, by the dual projection with estimated depth."""
    windows = request.projected(request.disparity)
    return f"{tallied(windows)}\n\n{inpainting_table(windows, request.inpainter, request.lpips)}"


def tokens(request: Request) -> str:
    """Table 4."""
    windows = request.projected(request.disparity)
    return f"{tallied(windows)}\n\n{token_table(windows, request.inpainter, request.lpips)}"


def disparity(request: Request) -> str:
    """Table 5."""
    windows = ((largest, request.projected(largest)) for largest in DISPARITIES)
    return disparity_table(windows, request.inpainter, request.lpips)


def conversion(request: Request) -> str:
    """Table 2."""
    photos = tuple(photo.astype(np.float32) / 255 for library in request.media.values() for photo in library.photos)
    return conversion_table(read_pairs(request.pairs, 4, photos), request.inpainter, request.lpips)


def geometry(request: Request) -> str:
    """Table 9."""
    return geometry_table(read_pairs(request.pairs, 0, ()), request.inpainter)


def flicker(request: Request) -> str:
    """Flicker of the drawn scenes over clips."""
    clips = {name: library for name, library in request.media.items() if library.clips}
    return flicker_table(LayeredWindows(clips, request.objects, request.windows), request.fills)


def speed(request: Request) -> str:
    """Sparse against dense on this machine."""
    medium = dict(list(request.media.items())[:1])
    rules = [WindowRules(*size, frames=_SPEED_FRAMES, per_medium=1) for size in _SPEED_SIZES]
    windows = [window for rule in rules for window in LayeredWindows(medium, request.objects, rule)]
    return f"Load {os.getloadavg()[0]:.1f}.\n\n{speed_table(windows, request.inpainter)}"


def memory(request: Request) -> str:
    """Peak memory on this machine."""
    return memory_table(request.weights, _MEMORY_SIZES)


def codec(request: Request) -> str:
    """Tables 6 and 7; what a fill looks like between each codec only by Wan 2.1's transformer."""
    from model.evaluate.codec import codec_fill_table, codec_table
    from model.sasi.wan.codec import load_codec
    from model.sasi.wan.inpainter import WanInpainter

    if not request.codecs:
        raise InvalidInputError("the table codec needs --codecs, the folders of one or more Wan VAEs")
    codecs = {str(folder): load_codec(folder) for folder in request.codecs}
    pieces = {name: footage(library, request.windows) for name, library in request.media.items()}
    made = codec_table(codecs, pieces, request.lpips)
    if not isinstance(request.inpainter, WanInpainter):
        return made
    windows = request.projected(request.disparity)
    return f"{made}\n\n{codec_fill_table(codecs, request.inpainter, windows, request.lpips)}"


_MADE = (holes, estimated, inpainting, tokens, disparity, conversion, geometry, codec, flicker, speed, memory)
TABLES: dict[str, Callable[[Request], str]] = {made.__name__: made for made in _MADE}
