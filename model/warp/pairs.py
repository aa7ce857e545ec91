"""Real stereo pairs with measured disparity, to compare a warp with what the other camera saw."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from model.errors import InvalidInputError

# Left, right, disparity, and the stored value of one px; 0 is unknown.
PAIRS = {
    "Motorcycle": ("motorcycle_left.png", "motorcycle_right.png", "motorcycle_disparity.png", 256),
    "Aloe": ("aloeL.jpg", "aloeR.jpg", "aloeGT.png", 1),
}


def has_pair(folder: Path, name: str) -> bool:
    """Tell whether all three files of a pair are in a folder."""
    return all((folder / file).is_file() for file in PAIRS[name][:3])


def read_pair(folder: Path, name: str) -> tuple[Tensor, Tensor, Tensor]:
    """Read left and right (1, 3, H, W) float32 0..1, and disparity (1, 1, H, W) float32 px, NaN where unknown.

    Raises InvalidInputError for a file that is missing or broken.
    """
    left_file, right_file, disparity_file, unit = PAIRS[name]
    left, right = (_read(folder / file, cv2.IMREAD_COLOR_RGB) / 255 for file in (left_file, right_file))
    stored = _read(folder / disparity_file, cv2.IMREAD_UNCHANGED)
    disparity = torch.from_numpy(np.where(stored > 0, stored / unit, np.nan).astype(np.float32))
    return _planes(left), _planes(right), disparity[None, None]


def _read(path: Path, flags: int) -> np.ndarray:
    picture = cv2.imread(str(path), flags)
    if picture is None:
        raise InvalidInputError(f"{path} must be a picture that OpenCV reads; it is missing or broken")
    return picture.astype(np.float32)


def _planes(picture: np.ndarray) -> Tensor:
    return torch.from_numpy(picture).permute(2, 0, 1)[None].contiguous()
