"""Scores of fills over many windows, each medium by itself: PSNR, SSIM, LPIPS, sharpness, time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import cv2
import numpy as np
import torch
from torch import Tensor

from model.evaluate.fills import Fill
from model.evaluate.windows import Window
from model.train.lpips import Lpips
from model.train.measures import HoleScore

Watch = Callable[[Window, dict[str, Tensor]], None]
"""(window, frames (T, 3, H, W) by the fill's name)"""
_SSIM_SIGMA_PX, _SSIM_WINDOW_PX = 1.5, 11
_LUMA = (0.2126, 0.7152, 0.0722)


@dataclass
class MediumScore:
    """Sums over the windows of one medium; `hole` looks into holes, the rest at whole frames."""

    hole: HoleScore = field(default_factory=HoleScore)
    squared: float = 0.0
    ssim: float = 0.0
    frames: int = 0

    @property
    def psnr(self) -> float:
        """PSNR of whole frames, dB."""
        return -10 * math.log10(max(self.squared / self.frames, 1e-12))


@dataclass
class Score:
    """One fill on all windows. Means are over media, so that a long clip counts as much as a photo."""

    media: dict[str, MediumScore] = field(default_factory=dict)
    seconds: float = 0.0

    def mean(self, what: str) -> float:
        """Mean over media of `psnr`, `ssim`, or of `hole.psnr`, `hole.edge_psnr`, `hole.sharpness`, `hole.lpips`."""
        values = [self._value(score, what) for score in self.media.values()]
        values = [value for value in values if not math.isnan(value)]
        return sum(values) / len(values) if values else math.nan

    @property
    def sharpness(self) -> float:
        """Detail in all disocclusions together, relative to the truth's."""
        holes = [score.hole for score in self.media.values()]
        truth = sum(hole.true_detail for hole in holes)
        return sum(hole.detail for hole in holes) / truth if truth else math.nan

    @property
    def ms_per_frame(self) -> float:
        """CPU time of the fill, all threads together."""
        return 1000 * self.seconds / sum(score.frames for score in self.media.values())

    def gains(self, other: Score) -> dict[str, float]:
        """PSNR in disocclusions over another fill's, dB, by medium."""
        return {name: score.hole.psnr - other.media[name].hole.psnr for name, score in self.media.items()}

    @staticmethod
    def _value(score: MediumScore, what: str) -> float:
        if what == "ssim":
            return score.ssim / score.frames
        return getattr(score.hole, what.removeprefix("hole.")) if what.startswith("hole.") else getattr(score, what)


def score_fills(
    fills: dict[str, Fill], windows: Iterable[Window], lpips: Lpips | None, watch: Watch | None = None
) -> dict[str, Score]:
    """Run fills on every window and measure them.

    lpips  looks at the middle frame of each window; None leaves it out
    watch  is shown every window once it is measured, with the frames of every fill
    """
    scores = {name: Score() for name in fills}
    for window in windows:
        _ = window.conditions  # shared by the yardsticks, so that no single one is timed with it
        images = {}
        for name, fill in fills.items():
            start = time.process_time()
            images[name] = fill(window)
            scores[name].seconds += time.process_time() - start
            image = torch.where(window.hole, images[name], window.truth).clamp(0, 1)
            _add(scores[name].media.setdefault(window.medium, MediumScore()), image, window, lpips)
        if watch is not None:
            watch(window, images)
    return scores


def _add(score: MediumScore, image: Tensor, window: Window, lpips: Lpips | None) -> None:
    score.hole.add(image, window.truth, window.hole, window.edge)
    score.squared += (image - window.truth).square().mean(dim=(1, 2, 3)).sum().item()
    score.frames += len(image)
    score.ssim += sum(ssim(one, truth) for one, truth in zip(image, window.truth, strict=True))
    if lpips is not None:
        middle = slice(len(image) // 2, len(image) // 2 + 1)
        with torch.no_grad():
            score.hole.add_distance(lpips.per_picture(image[middle], window.truth[middle]))


def ssim(image: Tensor, truth: Tensor) -> float:
    """Mean structural similarity of the luma of two pictures (3, H, W), 0..1 (Wang et al. 2004)."""
    x, y = (np.tensordot(np.asarray(_LUMA), picture.double().numpy(), 1) for picture in (image, truth))
    mean_x, mean_y = _blurred(x), _blurred(y)
    variance_x, variance_y = _blurred(x * x) - mean_x**2, _blurred(y * y) - mean_y**2
    covariance = _blurred(x * y) - mean_x * mean_y
    c1, c2 = 0.01**2, 0.03**2
    similarity = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    return float((similarity / ((mean_x**2 + mean_y**2 + c1) * (variance_x + variance_y + c2))).mean())


def _blurred(plane: np.ndarray) -> np.ndarray:
    window = (_SSIM_WINDOW_PX, _SSIM_WINDOW_PX)
    return cv2.GaussianBlur(plane, window, _SSIM_SIGMA_PX, borderType=cv2.BORDER_REFLECT)
