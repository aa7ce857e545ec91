"""How well warps render views whose truth is known: composed scenes and real stereo pairs."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import torch
from torch import Tensor

from model.warp.gapw import Warp, gapw
from model.warp.prepare import fill_unknown
from model.warp.scenes import Scene

WarpForm = Callable[[Tensor, Tensor], Warp]

RING_PX = 4
"""The edge band: visible pixels at most this far from a disocclusion."""


def quality_table(kinds: dict[str, list[Scene]], warps: dict[str, WarpForm]) -> str:
    """Mean PSNR of visible, edge and disoccluded pixels, and IoU of the mask, against the truth."""
    lines = [
        "Layered scenes with exact truth, 960x540, ±24 px: dB of visible / edge / disoccluded pixels, IoU of the mask "
        "(row_flow_v3 and grid_sample make none).",
        "",
    ]
    lines += ["| warp | " + " | ".join(kinds) + " |", "|---" * (1 + len(kinds)) + "|"]
    for name, warp in warps.items():
        cells = ["{:.2f} / {:.2f} / {:.2f}, {:.4f}".format(*_mean_score(warp, scenes)) for scenes in kinds.values()]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def pair_table(pairs: dict[str, tuple[Tensor, Tensor, Tensor]], warps: dict[str, WarpForm]) -> str:
    """PSNR of every warp against the real right photograph: all pixels, and those that GAPW calls visible.

    pairs  name to left, right (1, 3, H, W) float32 and disparity (1, 1, H, W) px, NaN where it is unknown
    """
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
