"""2D to 3D against real right eyes (Table 2), and whether a matcher finds the geometry again (Table 9)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from model.errors import InvalidInputError
from model.evaluate.fills import Fill, gapw_stretch, sasi, yardsticks
from model.evaluate.markdown import number, table
from model.evaluate.scores import ssim
from model.evaluate.windows import Window
from model.sasi.inpainter import Inpainter
from model.train.lpips import Lpips
from model.warp.gapw import gapw
from model.warp.pairs import PAIRS, has_pair, read_pair
from model.warp.prepare import fill_unknown
from model.warp.scenes import make_scene

_MATCHER_BLOCK_PX = 5
_CLOSE = 1.05


@dataclass(frozen=True)
class Pair:
    """A left eye, its disparity, and the right eye that a second camera (or an exact drawing) saw.

    left, right (1, 3, H, W) 0..1     disparity (1, 1, H, W) px, NaN unknown     measured  a camera's, all positive
    """

    name: str
    left: Tensor
    right: Tensor
    disparity: Tensor
    measured: bool


def read_pairs(
    folders: list[Path], scenes: int, textures: tuple[np.ndarray, ...], size: tuple[int, int] = (768, 432)
) -> list[Pair]:
    """Read the real pairs in folders and draw `scenes` layered ones of (width, height) from (H, W, 3) textures.

    Raises InvalidInputError for a folder without a pair.
    """
    pairs = []
    for folder in folders:
        found = [name for name in PAIRS if has_pair(folder, name)]
        if not found:
            files = " or ".join(", ".join(files[:3]) for files in PAIRS.values())
            raise InvalidInputError(f"expected {files} in {folder}; found neither")
        pairs += [Pair(name, *read_pair(folder, name), measured=True) for name in found]
    for seed in range(scenes):
        scene = make_scene(seed, size, textures=textures)
        left, right = (torch.from_numpy(picture)[None] for picture in (scene.left, scene.right))
        disparity = torch.from_numpy(scene.disparity)[None, None]
        pairs.append(Pair(f"layered scene {seed}", left, right, disparity, measured=False))
    return pairs


def right_eyes(pair: Pair, inpainter: Inpainter) -> dict[str, Tensor]:
    """Warp the left eye and fill it in every way: (3, H, W) by name."""
    warp = gapw(pair.left, pair.disparity)
    window = _padded(Window(pair.name, warp.view, warp.view, warp.disocclusion, warp.disocclusion, warp.disparity))
    height, width = pair.left.shape[-2:]
    fills: dict[str, Fill] = {"GAPW stretch": gapw_stretch, **yardsticks(), f"SASI {inpainter.name}": sasi(inpainter)}
    return {name: fill(window)[0, :, :height, :width].clamp(0, 1) for name, fill in fills.items()}


def _padded(window: Window) -> Window:
    """Grow a window to multiples of 16, which fills without a network expect too."""
    right, below = (-window.view.shape[-1] % 16, -window.view.shape[-2] % 16)

    def pad(image: Tensor) -> Tensor:
        return F.pad(image.float(), (0, right, 0, below), mode="replicate").to(image.dtype)

    view, hole, disparity = pad(window.view), pad(window.hole), pad(window.disparity)
    return Window(window.medium, view, view, hole, hole, disparity, view)


def conversion_table(pairs: list[Pair], inpainter: Inpainter, lpips: Lpips | None) -> str:
    """Table 2: the right eye against the real one, whole frames, by the true disparity."""
    rows = []
    for pair in pairs:
        for name, image in right_eyes(pair, inpainter).items():
            error = (image - pair.right[0]).square().mean().item()
            distance = math.nan if lpips is None else lpips(image[None], pair.right).item()
            figures = (number(-10 * math.log10(error), 2), number(ssim(image, pair.right[0]), 4), number(distance, 4))
            rows.append((pair.name, name, *figures))
    return table(("pair", "fill", "PSNR", "SSIM", "LPIPS"), rows)


def geometry_table(pairs: list[Pair], inpainter: Inpainter) -> str:
    """Table 9: depth found by matching the left eye with the right eye made from it, against the true depth."""
    rows = []
    for pair in pairs:
        if not pair.measured:
            continue
        eyes = {"the real right eye": pair.right[0], **right_eyes(pair, inpainter)}
        for name, right in eyes.items():
            error, close, share = geometry_error(pair.left[0], right, pair.disparity[0, 0])
            rows.append((pair.name, name, number(error, 4), number(close, 4), f"{share:.0%}"))
    return table(("pair", "right eye", "AbsRel", f"δ < {_CLOSE}", "pixels matched"), rows)


def geometry_error(left: Tensor, right: Tensor, disparity: Tensor) -> tuple[float, float, float]:
    """AbsRel and share of depth ratios within 1.05, where a matcher (SGBM) finds a match; and how often it does.

    left, right (3, H, W) 0..1     disparity (H, W) px, NaN unknown, the left eye's, else positive
    The match is fitted to the true disparity by scale and shift; depth is 1 / disparity.
    """
    known = torch.isfinite(disparity).numpy()
    truth = fill_unknown(disparity[None, None])[0, 0].numpy()
    match = _matched(left, right, float(truth[known].max()))
    valid = known & (match > 0)
    if valid.sum() < 2:
        return math.nan, math.nan, 0.0
    ratio = truth[valid] / np.maximum(_fitted(match[valid], truth[valid]), 1e-3)  # depth found over true depth
    close = np.maximum(ratio, 1 / ratio) < _CLOSE
    return float(np.abs(ratio - 1).mean()), float(close.mean()), float(valid.sum() / known.sum())


def _fitted(match: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Scale and shift a match to lie near the truth (least squares); one that is constant can only be shifted."""
    deviation = match - match.mean()
    spread = np.square(deviation).sum()
    scale = (deviation * truth).sum() / spread if spread > 1e-6 * match.size else 0.0
    return scale * deviation + truth.mean()


def _matched(left: Tensor, right: Tensor, largest_px: float) -> np.ndarray:
    """Semi-global matching of two eyes: (H, W) float32 px, negative where nothing was found."""
    count = 16 * math.ceil((largest_px + 8) / 16)
    matcher = cv2.StereoSGBM.create(
        minDisparity=0,
        numDisparities=count,
        blockSize=_MATCHER_BLOCK_PX,
        P1=8 * 3 * _MATCHER_BLOCK_PX**2,
        P2=32 * 3 * _MATCHER_BLOCK_PX**2,
        disp12MaxDiff=1,
        uniquenessRatio=5,
        speckleWindowSize=100,
        speckleRange=2,
        mode=cv2.STEREO_SGBM_MODE_HH,
    )
    pictures = [(eye.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).contiguous().numpy() for eye in (left, right)]
    padded = [cv2.copyMakeBorder(picture, 0, 0, count, 0, cv2.BORDER_REPLICATE) for picture in pictures]
    return matcher.compute(*padded).astype(np.float32)[:, count:] / 16
