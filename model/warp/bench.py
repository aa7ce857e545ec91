"""`python -m model.warp.bench`: speed and quality of the warp here, as Markdown."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from model.warp.gapw import Warp, gapw, kernel_name
from model.warp.pairs import PAIRS, has_pair, read_pair
from model.warp.prepare import fill_unknown
from model.warp.rivals import monotone_inverse, plain_grid_sample, row_flow, soft_splat
from model.warp.scenes import KINDS, Scene, make_scene

SIZES = ((960, 540), (1920, 1080), (3840, 2160))
RING_PX = 4
"""The edge band: visible pixels at most this far from a disocclusion."""

WarpForm = Callable[[Tensor, Tensor], Warp]
WARPS: dict[str, WarpForm] = {
    "plain grid_sample": plain_grid_sample,
    "monotone inverse": monotone_inverse,
    "soft splat": soft_splat,
    "GAPW": gapw,
}


def main() -> int:
    """Print the tables; progress goes to stderr."""
    arguments = _parse()
    warps = dict(WARPS)
    if arguments.peers:
        warps["row_flow_v3"] = row_flow(arguments.peers / "stereo_warp_v3.onnx")
    pictures = _read_pictures(arguments.textures) if arguments.textures else ()
    kinds = {}
    for kind in KINDS:
        print(f"composing {kind} scenes", file=sys.stderr)
        # Of a moving scene each one is another frame.
        kinds[kind] = [make_scene(seed, kind=kind, textures=pictures, frame=seed) for seed in range(arguments.scenes)]
    print(f"Load average of this machine when this began: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores.\n")
    print(speed_table(kinds, warps, SIZES if arguments.full else SIZES[:2]))
    print(f"\n{quality_table(kinds, warps)}")
    if arguments.pairs:
        print(f"\n{pair_table(arguments.pairs, warps)}")
    return 0


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
        metavar="DIR",
        help="folder of a real pair: motorcycle_{left,right,disparity}.png or aloe{L,R}.jpg, aloeGT.png; repeatable",
    )
    return parser.parse_args()


def speed_table(kinds: dict[str, list[Scene]], warps: dict[str, WarpForm], sizes: tuple[tuple[int, int], ...]) -> str:
    """CPU time of every warp per RGB frame, best of its runs, beside copying the picture."""
    lines = [
        f"CPU ms (all threads together) per RGB float frame, {torch.get_num_threads()} threads, "
        f"kernel `{kernel_name('cpu')}`, best of 9 (others than GAPW and memcpy: of 3).",
        "",
        "| size | scene | memcpy | GAPW / memcpy | " + " | ".join(warps) + " |",
        "|---" * (4 + len(warps)) + "|",
    ]
    for width, height in sizes:
        for kind, scenes in kinds.items():
            image, disparity = _scaled(scenes[0], width, height)
            target = torch.empty_like(image)
            copy = _best_ms(lambda image=image, target=target: target.copy_(image), 9)
            times = {
                name: _best_ms(
                    lambda warp=warp, image=image, disparity=disparity: warp(image, disparity), 9 if warp is gapw else 3
                )
                for name, warp in warps.items()
            }
            cells = " | ".join(f"{milliseconds:.1f}" for milliseconds in times.values())
            lines.append(f"| {width}x{height} | {kind} | {copy:.1f} | {times['GAPW'] / copy:.1f} | {cells} |")
    return "\n".join(lines)


def quality_table(kinds: dict[str, list[Scene]], warps: dict[str, WarpForm]) -> str:
    """Mean PSNR of visible, edge and disoccluded pixels, and IoU of the mask, against the truth."""
    lines = [
        "Layered scenes with exact truth, 960x540, ±24 px: dB of visible / edge / disoccluded pixels, IoU of the mask "
        "(row_flow_v3 and grid_sample make none).",
        "",
    ]
    lines += ["| warp | " + " | ".join(kinds) + " |", "|---" * (1 + len(kinds)) + "|"]
    for name, warp in warps.items():
        cells = ["{:.2f} / {:.2f} / {:.2f}, {:.3f}".format(*_mean_score(warp, scenes)) for scenes in kinds.values()]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def pair_table(folders: list[Path], warps: dict[str, WarpForm]) -> str:
    """PSNR of every warp against the real right photograph: all pixels, and those that GAPW calls visible."""
    pairs = {name: read_pair(folder, name) for folder in folders for name in PAIRS if has_pair(folder, name)}
    lines = ["Real pairs: dB of all pixels / of those that GAPW's mask calls visible.", ""]
    lines += ["| warp | " + " | ".join(pairs) + " |", "|---" * (1 + len(pairs)) + "|"]
    visible = {name: ~gapw(left, disparity).disocclusion for name, (left, _, disparity) in pairs.items()}
    for warp_name, warp in warps.items():
        cells = []
        for name, (left, right, disparity) in pairs.items():
            error = ((warp(left, fill_unknown(disparity)).view - right) ** 2).mean(1, keepdim=True)
            cells.append(" / ".join(f"{-10 * band.mean().log10():.2f}" for band in (error, error[visible[name]])))
        lines.append(f"| {warp_name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def score(scene: Scene, view: np.ndarray, mask: np.ndarray) -> tuple[float, float, float, float]:
    """Compare a view (3, H, W) and its mask (H, W) with the truth: dB of visible, edge, disoccluded pixels; IoU."""
    truth = scene.disocclusion
    ring = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * RING_PX + 1, 2 * RING_PX + 1))
    edge = (cv2.dilate(truth.astype(np.uint8), ring) > 0) & ~truth
    error = ((view - scene.right) ** 2).mean(0)
    decibels = (-10 * np.log10(max(error[band].mean(), 1e-12)) for band in (~truth, edge, truth))
    visible_db, edge_db, hidden_db = decibels
    truth, mask = truth & ~scene.deceptive, mask & ~scene.deceptive
    return visible_db, edge_db, hidden_db, (truth & mask).sum() / max((truth | mask).sum(), 1)


def _mean_score(warp: WarpForm, scenes: list[Scene]) -> np.ndarray:
    scores = []
    for scene in scenes:
        made = warp(torch.from_numpy(scene.left)[None], torch.from_numpy(scene.disparity)[None, None])
        scores.append(score(scene, made.view[0].numpy(), made.disocclusion[0, 0].numpy()))
    return np.mean(scores, 0)


def _scaled(scene: Scene, width: int, height: int) -> tuple[Tensor, Tensor]:
    left = cv2.resize(scene.left.transpose(1, 2, 0), (width, height)).transpose(2, 0, 1)
    disparity = cv2.resize(scene.disparity, (width, height), interpolation=cv2.INTER_NEAREST)
    factor = width / scene.disparity.shape[1]
    return torch.from_numpy(left.copy())[None], torch.from_numpy(disparity * factor)[None, None]


def _best_ms(call: Callable[[], object], repeats: int) -> float:
    """CPU time, which a busy machine changes less than it does the clock on the wall."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return 1000 * min(times)


def _read_pictures(folder: Path) -> tuple[np.ndarray, ...]:
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    if not paths:
        raise SystemExit(f"--textures must name a folder of JPEG or PNG pictures; {folder} has none")
    pictures = (cv2.imread(str(path), cv2.IMREAD_COLOR_RGB) for path in paths)
    return tuple(picture.astype(np.float32) / 255 for picture in pictures if picture is not None)


if __name__ == "__main__":
    sys.exit(main())
