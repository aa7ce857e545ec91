"""`python -m model.warp.bench [--full] [--textures DIR]`: speed and quality of the warp here, as Markdown."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from model.warp.gapw import Warp, gapw, kernel_name
from model.warp.rivals import monotone_inverse, plain_grid_sample, soft_splat
from model.warp.scenes import Scene, make_scene

SIZES = ((960, 540), (1920, 1080), (3840, 2160))
RING_PX = 4
"""The edge band: visible pixels at most this far from a disocclusion."""

WARPS: dict[str, Callable[[Tensor, Tensor], Warp]] = {
    "plain grid_sample": plain_grid_sample,
    "monotone inverse": monotone_inverse,
    "soft splat": soft_splat,
    "GAPW": gapw,
}


def main() -> int:
    """Print both tables; progress goes to stderr."""
    parser = argparse.ArgumentParser(prog="python -m model.warp.bench", description=__doc__)
    parser.add_argument(
        "--full", action="store_true", help="also 3840x2160, and eight scenes of each kind instead of two"
    )
    parser.add_argument(
        "--textures", type=Path, help="folder of JPEG or PNG pictures to make scenes from (default: 1/f noise)"
    )
    arguments = parser.parse_args()
    pictures = _read_pictures(arguments.textures) if arguments.textures else ()
    kinds = {}
    for kind in ("plain", "thin"):
        print(f"composing {kind} scenes", file=sys.stderr)
        kinds[kind] = [
            make_scene(seed, thin=kind == "thin", textures=pictures) for seed in range(8 if arguments.full else 2)
        ]
    print(speed_table(kinds, SIZES if arguments.full else SIZES[:2]))
    print()
    print(quality_table(kinds))
    return 0


def speed_table(kinds: dict[str, list[Scene]], sizes: tuple[tuple[int, int], ...]) -> str:
    """Best time per RGB frame, and how it compares with copying the picture and with torch's grid_sample."""
    lines = [
        f"Warp, {torch.get_num_threads()} threads, kernel `{kernel_name('cpu')}`, best of 9; ms per RGB float frame.",
        "",
        "| size | scene | GAPW | memcpy | GAPW / memcpy | grid_sample | grid_sample / GAPW |",
        "|---|---|---|---|---|---|---|",
    ]
    for width, height in sizes:
        for kind, scenes in kinds.items():
            image, disparity = _scaled(scenes[0], width, height)
            target = torch.empty_like(image)
            ours = _best_ms(lambda image=image, disparity=disparity: gapw(image, disparity))
            copy = _best_ms(lambda image=image, target=target: target.copy_(image))
            plain = _best_ms(lambda image=image, disparity=disparity: plain_grid_sample(image, disparity))
            lines.append(
                f"| {width}x{height} | {kind} | {ours:.1f} | {copy:.1f} | {ours / copy:.1f} | {plain:.1f} "
                f"| {plain / ours:.1f} |"
            )
    return "\n".join(lines)


def quality_table(kinds: dict[str, list[Scene]]) -> str:
    """Mean PSNR of visible pixels and of the ring around disocclusions, and IoU of the mask, against the truth."""
    lines = ["Layered scenes with exact truth, 960x540, ±24 px: visible dB / edge dB / IoU of the mask.", ""]
    lines += ["| warp | " + " | ".join(kinds) + " |", "|---" * (1 + len(kinds)) + "|"]
    for name, warp in WARPS.items():
        cells = ["{:.2f} / {:.2f} / {:.3f}".format(*_mean_score(warp, scenes)) for scenes in kinds.values()]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def score(scene: Scene, view: np.ndarray, mask: np.ndarray) -> tuple[float, float, float]:
    """Compare a view (3, H, W) and its mask (H, W) with the truth: visible dB, edge dB, IoU."""
    truth = scene.disocclusion
    ring = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * RING_PX + 1, 2 * RING_PX + 1))
    edge = (cv2.dilate(truth.astype(np.uint8), ring) > 0) & ~truth
    error = ((view - scene.right) ** 2).mean(0)
    visible_db, edge_db = (-10 * np.log10(max(error[band].mean(), 1e-12)) for band in (~truth, edge))
    truth, mask = truth & ~scene.deceptive, mask & ~scene.deceptive
    return visible_db, edge_db, (truth & mask).sum() / max((truth | mask).sum(), 1)


def _mean_score(warp: Callable[[Tensor, Tensor], Warp], scenes: list[Scene]) -> np.ndarray:
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


def _best_ms(call: Callable[[], object], repeats: int = 9) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return 1000 * min(times)


def _read_pictures(folder: Path) -> tuple[np.ndarray, ...]:
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    if not paths:
        raise SystemExit(f"--textures must name a folder of JPEG or PNG pictures; {folder} has none")
    pictures = (cv2.imread(str(path), cv2.IMREAD_COLOR_RGB) for path in paths)
    return tuple(picture.astype(np.float32) / 255 for picture in pictures if picture is not None)


if __name__ == "__main__":
    sys.exit(main())
