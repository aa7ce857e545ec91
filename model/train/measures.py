"""How good a fill is: PSNR and sharpness inside holes, with true disocclusions and the edge strip apart."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import torch
from torch import Tensor


@dataclass
class HoleScore:
    """Sums over many frames. Truth and fill are display-referred, 0..1."""

    squared: float = 0.0
    edge_squared: float = 0.0
    pixels: float = 0.0
    edge_pixels: float = 0.0
    detail: float = 0.0
    true_detail: float = 0.0
    distance: float = 0.0  # LPIPS, summed over pictures
    pictures: int = 0

    def add(self, image: Tensor, truth: Tensor, hole: Tensor, edge: Tensor) -> None:
        """Add frames (F, 3, H, W) with masks (F, 1, H, W) bool; `edge` is part of `hole`."""
        error = (image.clamp(0, 1) - truth).square().mean(dim=1, keepdim=True)
        inner = hole & ~edge
        self.squared += error[inner].sum().item()
        self.edge_squared += error[edge].sum().item()
        self.pixels += inner.sum().item()
        self.edge_pixels += edge.sum().item()
        self.detail += _detail(image.clamp(0, 1), inner)
        self.true_detail += _detail(truth, inner)

    def add_distance(self, distances: Tensor) -> None:
        """Add the LPIPS of whole pictures, (F,)."""
        self.distance += distances.sum().item()
        self.pictures += len(distances)

    @property
    def lpips(self) -> float:
        """Mean LPIPS of the whole pictures; NaN when none was added."""
        return self.distance / self.pictures if self.pictures else math.nan

    @property
    def psnr(self) -> float:
        """PSNR in dB inside true disocclusions, over all frames together."""
        return _psnr(self.squared, self.pixels)

    @property
    def edge_psnr(self) -> float:
        """PSNR in dB inside the strip beyond the frame's edge."""
        return _psnr(self.edge_squared, self.edge_pixels)

    @property
    def sharpness(self) -> float:
        """Mean gradient inside disocclusions relative to the truth's; 1 = as sharp."""
        return self.detail / self.true_detail if self.true_detail else math.nan


def pooled(scores: list[HoleScore]) -> HoleScore:
    """Add the sums of several scores."""
    return HoleScore(*(sum(getattr(score, entry.name) for score in scores) for entry in fields(HoleScore)))


def mean_gain(scores: list[HoleScore], others: list[HoleScore]) -> tuple[float, float]:
    """Mean and least difference in PSNR, dB, of windows with disocclusions; NaN where no window has any."""
    gains = [one.psnr - other.psnr for one, other in zip(scores, others, strict=True) if one.pixels]
    return (sum(gains) / len(gains), min(gains)) if gains else (math.nan, math.nan)


def _psnr(squared: float, pixels: float) -> float:
    return -10 * math.log10(max(squared / pixels, 1e-12)) if pixels else math.nan


def _detail(image: Tensor, inside: Tensor) -> float:
    """Sum of absolute differences between neighbours that both lie inside."""
    across = (image[..., 1:] - image[..., :-1]).abs().mean(1, keepdim=True)[inside[..., 1:] & inside[..., :-1]]
    down = (image[..., 1:, :] - image[..., :-1, :]).abs().mean(1, keepdim=True)
    return (across.sum() + down[inside[..., 1:, :] & inside[..., :-1, :]].sum()).item()


def contact_sheet(columns: list[Tensor], rows: list[int]) -> Tensor:
    """Lay frames `rows` of several image stacks (F, 3, H, W) side by side: (H', W', 3) uint8."""
    sheet = torch.cat([torch.cat([column[row] for column in columns], dim=2) for row in rows], dim=1)
    return (sheet.clamp(0, 1).permute(1, 2, 0) * 255).round().to(torch.uint8)
