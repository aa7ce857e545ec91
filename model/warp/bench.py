"""`python -m model.warp.bench`: speed and quality of the warp here, beside the warps of others, as Markdown."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from model.errors import InvalidInputError
from model.warp.bench_quality import WarpForm, pair_table, quality_table
from model.warp.bench_speed import speed_table
from model.warp.gapw import gapw
from model.warp.pairs import PAIRS, has_pair, read_pair
from model.warp.prepare import fill_unknown
from model.warp.rivals import monotone_inverse, plain_grid_sample, row_flow, soft_splat
from model.warp.scenes import KINDS, Scene, make_scene

SIZES = ((960, 540), (1920, 1080), (3840, 2160))
FLAT_PX = 6.0

WARPS: dict[str, WarpForm] = {
    "plain grid_sample": plain_grid_sample,
    "monotone inverse": monotone_inverse,
    "soft splat": soft_splat,
    "GAPW": gapw,
}


def main() -> int:
    """Print the tables; 0 = done, 2 = wrong input. Progress goes to stderr."""
    try:
        _print_tables(_parse())
    except InvalidInputError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _print_tables(arguments: argparse.Namespace) -> None:
    warps = dict(WARPS)
    if arguments.peers:
        warps["row_flow_v3"] = row_flow(arguments.peers / "stereo_warp_v3.onnx")
    pictures = _read_pictures(arguments.textures) if arguments.textures else ()
    kinds = {}
    for kind in KINDS:
        print(f"composing {kind} scenes", file=sys.stderr)
        # Of a moving scene each one is another frame.
        kinds[kind] = [make_scene(seed, kind=kind, textures=pictures, frame=seed) for seed in range(arguments.scenes)]
    names = [(folder, name) for folder in arguments.pairs for name in PAIRS if has_pair(folder, name)]
    pairs = {name: read_pair(folder, name) for folder, name in names}
    print(f"Load average of this machine when this began: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores.\n")
    print(speed_table(_timed(kinds, pairs), warps, SIZES if arguments.full else SIZES[:2]))
    print(f"\n{quality_table(kinds, warps)}")
    if pairs:
        print(f"\n{pair_table(pairs, warps)}")
    if arguments.peers:
        moved = flat_shift(warps["row_flow_v3"])
        print(f"\nFed as here, row_flow_v3 moves a flat scene of {FLAT_PX:g} px by {moved:.2f} px.")


def flat_shift(warp: WarpForm) -> float:
    """How far a warp really moves a scene whose disparity is FLAT_PX everywhere, px: is it fed what it expects?"""
    height, width = 360, 640
    ramp = torch.linspace(0, 1, width).expand(1, 3, height, width).contiguous()
    view = warp(ramp, torch.full((1, 1, height, width), FLAT_PX)).view
    middle = slice(width // 4, 3 * width // 4)
    return float(((view - ramp)[..., height // 2, middle] * (width - 1)).median())


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m model.warp.bench", description=__doc__)
    parser.add_argument("--full", action="store_true", help="also 3840x2160")
    parser.add_argument("--scenes", type=int, default=2, metavar="N", help="scenes of each kind (default 2)")
    parser.add_argument(
        "--textures", type=Path, metavar="DIR", help="JPEG or PNG pictures to make scenes from (default: 1/f noise)"
    )
    parser.add_argument("--peers", type=Path, metavar="DIR", help="also iw3's network stereo_warp_v3.onnx in DIR")
    parser.add_argument(
        "--pairs",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="folder of a real pair: motorcycle_{left,right,disparity}.png or aloe{L,R}.jpg, aloeGT.png; repeatable",
    )
    return parser.parse_args()


def _timed(
    kinds: dict[str, list[Scene]], pairs: dict[str, tuple[Tensor, Tensor, Tensor]]
) -> dict[str, tuple[Tensor, Tensor]]:
    """Image and disparity of what is timed: a scene of each kind, and real pairs, whose depth is cut most densely."""
    timed = {
        kind: (torch.from_numpy(scenes[0].left)[None], torch.from_numpy(scenes[0].disparity)[None, None])
        for kind, scenes in kinds.items()
    }
    return timed | {name: (left, fill_unknown(disparity)) for name, (left, _, disparity) in pairs.items()}


def _read_pictures(folder: Path) -> tuple[np.ndarray, ...]:
    paths = sorted(path for path in folder.glob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    if not paths:
        raise InvalidInputError(f"--textures must name a folder of JPEG or PNG pictures; {folder} has none")
    pictures = (cv2.imread(str(path), cv2.IMREAD_COLOR_RGB) for path in paths)
    return tuple(picture.astype(np.float32) / 255 for picture in pictures if picture is not None)


if __name__ == "__main__":
    sys.exit(main())
