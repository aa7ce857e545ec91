"""How near a picture is to the photograph it should be: PSNR and SSIM over chosen pixels, and the warp to beat."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F

from examples.demo.media import Image

Mask = npt.NDArray[np.bool_]

SSIM_SIGMA_PX = 1.5
SSIM_WINDOW_PX = 11


def psnr(picture: Image, truth: Image, where: Mask) -> float:
    """Peak signal-to-noise ratio in dB for pixels of 0..1, over the pixels `where` is True.

    picture, truth  (H, W, 3)  float32;  where (H, W) bool
    """
    error = float(np.mean((picture.astype(np.float64) - truth)[where] ** 2))
    return float("inf") if error == 0 else -10 * float(np.log10(error))


def ssim(picture: Image, truth: Image, where: Mask) -> float:
    """Mean structural similarity of the luma over the pixels `where` is True (Wang et al. 2004).

    picture, truth  (H, W, 3)  float32 RGB, 0..1;  where (H, W) bool
    """
    x, y = _luma(picture), _luma(truth)
    mean_x, mean_y = _blurred(x), _blurred(y)
    variance_x, variance_y = _blurred(x * x) - mean_x**2, _blurred(y * y) - mean_y**2
    covariance = _blurred(x * y) - mean_x * mean_y
    c1, c2 = 0.01**2, 0.03**2
    similarity = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    similarity /= (mean_x**2 + mean_y**2 + c1) * (variance_x + variance_y + c2)
    return float(similarity[where].mean())


def plain_warp(left: Image, disparity: Image) -> Image:
    """The usual one-liner: sample the left picture backwards by the left disparity, with grid_sample.

    left       (H, W, 3)  float32
    disparity  (H, W)     float32, px, finite
    """
    height, width = disparity.shape
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    source_x = x + torch.from_numpy(disparity)
    grid = torch.stack((2 * source_x / (width - 1) - 1, 2 * y / (height - 1) - 1), dim=-1).float()
    image = torch.from_numpy(left).permute(2, 0, 1)[None]
    sampled = F.grid_sample(image, grid[None], mode="bilinear", padding_mode="border", align_corners=True)
    return sampled[0].permute(1, 2, 0).numpy()


def _luma(rgb: Image) -> npt.NDArray[np.float64]:
    return rgb.astype(np.float64) @ np.array([0.2126, 0.7152, 0.0722])


def _blurred(channel: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    blurred = cv2.GaussianBlur(channel, (SSIM_WINDOW_PX, SSIM_WINDOW_PX), SSIM_SIGMA_PX, borderType=cv2.BORDER_REFLECT)
    return blurred.astype(np.float64, copy=False)
