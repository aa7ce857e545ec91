"""The headless host on the command line: `describe` a plugin, or `render` files through it.

    python -m tests.ofx_host describe build/StereoConvert.ofx.bundle
    python -m tests.ofx_host render build/StereoConvert.ofx.bundle shot.mp4 -o out_%04d.png --set disparity=3

Broken rules are listed at the end. Exit code 0: all was well; 1: a render failed or a rule was broken; 2: wrong use.
"""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from tests.ofx_host import PERSONALITIES, Effect, Host, HostError, open_clip, pixels, write_image


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        return options.run(options)
    except (HostError, ImportError, ValueError, KeyError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def describe(options: argparse.Namespace) -> int:
    """Print clips and parameters as this host sees them."""
    with Host(options.personality) as host:
        effect = host.load(options.plugin).create(options.context)
        plugin = effect.plugin
        print(f"{plugin.identifier} {plugin.version[0]}.{plugin.version[1]} in {host.personality.label}")
        for name in effect.instance.native.clips():
            print(f"clip   {name}")
        for param in effect.instance.native.params():
            print(f"param  {param['name']:24} {_summary(param)}")
        return _report(host)


def render(options: argparse.Namespace) -> int:
    """Render frames to image files or a video."""
    with Host(options.personality, verify_inputs=options.verify) as host:
        effect = host.load(options.plugin).create(options.context, **dict(options.set))
        source = open_clip(options.source, first=options.first)
        effect.set_clip("Source", source)
        if options.depth is not None:
            effect.set_clip("Depth", open_clip(options.depth, first=options.first))
        start, stop = options.frames or (source.first, source.last + 1)
        times = _ordered(list(range(start, stop)), options.order)
        writer = VideoFile(options.output, source.fps) if options.output.suffix in VIDEO_SUFFIXES else None
        for time, picture in zip(times, _rendered(effect, times, options), strict=True):
            if writer is not None:
                writer.add(picture)
            else:
                write_image(_path_of(options.output, time, len(times)), picture)
        if writer is not None:
            writer.close()
        return _report(host)


class VideoFile:
    """An H.264 or MPEG-4 file, opened with the size of its first picture."""

    def __init__(self, path: Path, fps: float) -> None:
        self._path = path
        self._fps = fps
        self._writer: cv2.VideoWriter | None = None

    def add(self, picture: NDArray) -> None:
        frame = pixels.to_components(pixels.to_depth(picture, "Byte"), "RGB")[..., ::-1]
        if self._writer is None:
            size = (frame.shape[1], frame.shape[0])
            self._writer = cv2.VideoWriter(str(self._path), cv2.VideoWriter.fourcc(*"mp4v"), self._fps, size)
        self._writer.write(np.ascontiguousarray(frame))

    def close(self) -> None:
        if self._writer is not None:
            self._writer.release()


VIDEO_SUFFIXES = {".mp4", ".mov", ".mkv"}


def _rendered(effect: Effect, times: list[int], options: argparse.Namespace) -> Any:
    return tqdm(effect.render_range(times, scale=options.scale), total=len(times), unit="frame", file=sys.stderr)


def _ordered(times: list[int], order: str) -> list[int]:
    if order == "backward":
        times.reverse()
    if order == "shuffled":
        random.Random(0).shuffle(times)
    return times


def _path_of(pattern: Path, time: int, count: int) -> Path:
    if "%" in pattern.name:
        return pattern.with_name(pattern.name % time)
    return pattern if count == 1 else pattern.with_name(f"{pattern.stem}_{time:04d}{pattern.suffix}")


def _summary(param: dict) -> str:
    props = param["properties"]
    kind = param["type"].removeprefix("OfxParamType")
    default = props.get("OfxParamPropDefault")
    options = props.get("OfxParamPropChoiceOption")
    if options:
        return f"{kind}, one of {' | '.join(options)}; default {options[default[0]]}"
    low, high = props.get("OfxParamPropMin"), props.get("OfxParamPropMax")
    limits = f" {low[0]:g}..{high[0]:g}" if low and high and abs(low[0]) < 1e100 else ""
    return f"{kind}{limits}" + (f"; default {default[0]!r}" if default else "")


def _report(host: Host) -> int:
    for kind, _, text, _ in host.messages:
        print(f"message  {kind.removeprefix('OfxMessage')}: {text}", file=sys.stderr)
    for kind, text in host.problems:
        print(f"problem  {kind}: {text}", file=sys.stderr)
    return 1 if host.problems else 0


def _assignment(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"expected NAME=VALUE, got {text!r}")
    for convert in (int, float):
        try:
            return name, convert(value)
        except ValueError:
            continue
    return name, {"true": 1, "false": 0}.get(value.lower(), value)


def _frames(text: str) -> tuple[int, int]:
    first, colon, last = text.partition(":")
    try:
        return (int(first), int(last)) if colon else (int(first), int(first) + 1)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected FIRST:END or one frame, got {text!r}") from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.ofx_host", description=(__doc__ or "").split("\n")[0])
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    for verb, run in (("describe", describe), ("render", render)):
        sub = verbs.add_parser(verb, help=run.__doc__, description=run.__doc__)
        sub.set_defaults(run=run)
        sub.add_argument("plugin", type=Path, help="a .ofx file or .ofx.bundle folder")
        sub.add_argument("--personality", choices=PERSONALITIES, default="natron", help="which host (natron)")
        sub.add_argument("--context", choices=["Filter", "General"], default="Filter", help="(Filter)")
    sub.add_argument("source", type=Path, help="video, image, folder of images or pattern with *")
    sub.add_argument("-o", "--output", type=Path, required=True, help="out_%%04d.png, or a .mp4")
    sub.add_argument("--depth", type=Path, help="the same for the Depth clip")
    sub.add_argument("--set", type=_assignment, action="append", default=[], metavar="NAME=VALUE", help="a parameter")
    sub.add_argument("--first", type=int, default=0, help="number of the clip's first frame (0)")
    sub.add_argument("--frames", type=_frames, metavar="A:B", help="frames A up to B, without B (all)")
    sub.add_argument("--order", choices=["forward", "backward", "shuffled"], default="forward", help="(forward)")
    sub.add_argument("--scale", type=float, default=1.0, help="render scale, 0..1 (1)")
    sub.add_argument("--no-verify", dest="verify", action="store_false", help="skip comparing inputs at release")
    return parser


if __name__ == "__main__":
    sys.exit(main())
