"""Held-back real pairs: a left picture and the disparity that was measured for it, and how well an order agrees.

Nothing here is ever trained on.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from model.errors import InvalidInputError

_SGBM_DISPARITIES, _SGBM_BLOCK = 96, 5
_LEAST_PX = 1.0  # smaller matches of the block matcher are mostly wrong


@dataclass(frozen=True)
class RealPair:
    """left (H, W, 3) float32 RGB 0..1; disparity (H, W) float32, NaN where it is not known."""

    name: str
    left: NDArray[np.float32]
    disparity: NDArray[np.float32]


def read_pairs(folder: Path) -> list[RealPair]:
    """Read the pairs `NAME_left.*`, `NAME_right.*` of a folder, in the order of their names.

    `NAME_disparity.png` beside them is the truth in any unit, 0 where it is unknown. Without it the pair is matched
    by OpenCV's semi-global matcher. Raises InvalidInputError when there is no pair or a picture cannot be read.
    """
    lefts = sorted(path for path in folder.glob("*") if path.stem.endswith("_left"))
    if not lefts:
        raise InvalidInputError(f"expected pictures NAME_left and NAME_right in {folder}; found none")
    return [_read_pair(left) for left in lefts]


def _read_pair(path: Path) -> RealPair:
    name = path.stem.removesuffix("_left")
    left, truth = _read(path, cv2.IMREAD_COLOR), path.with_name(f"{name}_disparity.png")
    if truth.exists():
        disparity = _read(truth, cv2.IMREAD_UNCHANGED).astype(np.float32)
    else:
        right = _read(path.with_name(f"{name}_right{path.suffix}"), cv2.IMREAD_GRAYSCALE)
        disparity = _matched(cv2.cvtColor(left, cv2.COLOR_BGR2GRAY), right)
    known = np.where(disparity >= _LEAST_PX, disparity, np.float32(np.nan))
    return RealPair(name, left[..., ::-1].astype(np.float32) / np.float32(255), known)


def _read(path: Path, flags: int) -> NDArray:
    picture = cv2.imread(str(path), flags)
    if picture is None:
        raise InvalidInputError(f"{path} is missing or cannot be decoded as a picture; a pair needs both")
    return picture


def _matched(left: NDArray, right: NDArray) -> NDArray[np.float32]:
    area = _SGBM_BLOCK**2
    matcher = cv2.StereoSGBM.create(
        0, _SGBM_DISPARITIES, _SGBM_BLOCK, 8 * area, 32 * area, disp12MaxDiff=1, uniquenessRatio=10,
        speckleWindowSize=100, speckleRange=2, mode=cv2.STEREO_SGBM_MODE_HH,
    )  # fmt: skip
    return matcher.compute(left, right).astype(np.float32) / np.float32(16)


def rank_correlation(nearness: NDArray, pair: RealPair) -> float:
    """Correlate the ranks of guessed nearness (h, w) and disparity over the known pixels (Spearman): −1..1."""
    height, width = pair.disparity.shape
    guess = cv2.resize(nearness, (width, height), interpolation=cv2.INTER_LINEAR)
    known = np.isfinite(pair.disparity)
    return float(np.corrcoef(_ranks(guess[known]), _ranks(pair.disparity[known]))[0, 1])


def _ranks(values: NDArray) -> NDArray[np.float64]:
    """Mean rank of each value among equals."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[inverse]
