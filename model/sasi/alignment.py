"""Find the hidden background in other frames of the window.

What a near object hides now was often in view a few frames ago or will be soon. Each frame is aligned with its
neighbours by weighted Lucas–Kanade on small pictures. The weights leave out holes and near surfaces, and the
windows are wide, so the motion found inside a hole is that of the background around it. What is found is a
candidate with a confidence, never an overwrite: alignment can be wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

OFFSETS = (1, 2, 4, 8)
"""Frames ahead and behind that are looked at; each distance starts from twice the motion of the one before."""
SCALES = (16, 8)
"""Pictures are aligned at these fractions of the fill's size, coarse to fine; sides must be multiples of the first."""
ROUNDS = 3
WINDOW = 9
RESIDUAL_SCALE = 0.03
"""Mean brightness difference (of a 0..1 range) at which the confidence has fallen to 1/e."""


@dataclass(frozen=True)
class TimeGuess:
    """colour (F, 3, H, W), background seen in other frames     confidence (F, 1, H, W) in 0..1"""

    colour: Tensor
    confidence: Tensor


def background_from_time(
    view: Tensor, background: Tensor, disparity: Tensor, hole: Tensor, window_length: int
) -> TimeGuess:
    """Collect what other frames show at the places that are holes here.

    view (F, 3, H, W), 0..1     background, hole (F, 1, H, W) bool
    disparity (F, 1, H, W) px, in holes that of the background
    window_length  frames are windows of this length one after the other; alignment never leaves a window
    """
    colour, total = torch.zeros_like(view), torch.zeros_like(disparity)
    best = torch.zeros_like(disparity)
    levels = _pyramid(view, background)
    atlas = torch.cat((view * background, background, disparity), dim=1)
    for direction in (1, -1):
        flow: Tensor | None = None
        for offset in OFFSETS:
            frame = _frames_with(view.shape[0], window_length, direction * offset, view.device)
            if not len(frame):
                break
            start = None if flow is None else 2 * flow[frame]
            motion, confidence = _align(levels, frame, frame + direction * offset, start)
            flow = torch.zeros(view.shape[0], *motion.shape[1:], device=view.device).index_copy(0, frame, motion)
            _add_seen(colour, total, best, atlas, hole, frame, direction * offset, motion, confidence)
    return TimeGuess(colour / total.clamp(min=1e-8), best)


def _frames_with(frames: int, window_length: int, offset: int, device: torch.device) -> Tensor:
    number = torch.arange(frames, device=device)
    other = number % window_length + offset
    return number[(other >= 0) & (other < window_length)]


def _pyramid(view: Tensor, background: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Brightness and weight at each of SCALES, coarse to fine."""
    weight = background.float()
    brightness = view.mean(dim=1, keepdim=True)
    levels = []
    for scale in SCALES:
        small_weight = F.avg_pool2d(weight, scale)
        levels.append((F.avg_pool2d(brightness * weight, scale) / small_weight.clamp(min=1e-6), small_weight))
    return levels


def _align(
    levels: list[tuple[Tensor, Tensor]], here: Tensor, there: Tensor, start: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Motion from frames `here` to frames `there` in px of the fill, (n, 2, h, w), and confidence (n, 1, h, w)."""
    flow = start
    confidence = torch.empty(0)
    for scale, (brightness, weight) in zip(SCALES, levels, strict=True):
        size = brightness.shape[-2:]
        if flow is None:
            flow = brightness.new_zeros(len(here), 2, *size)
        flow = F.interpolate(flow / scale, size, mode="bilinear", align_corners=False)
        still = torch.cat((brightness[here], weight[here]), dim=1)
        moving = torch.cat((brightness[there], weight[there]), dim=1)
        gradient = _gradient(still[:, :1])
        for _ in range(ROUNDS):
            flow = flow + _step(still, moving, gradient, flow)
        confidence = _confidence(still, moving, flow)
        flow = flow * scale
    assert flow is not None
    return flow, confidence


def _step(still: Tensor, moving: Tensor, gradient: Tensor, flow: Tensor) -> Tensor:
    """One Lucas–Kanade update: the least-squares shift of each window."""
    seen = _shifted(moving, flow)
    weight = still[:, 1:] * seen[:, 1:]
    error = seen[:, :1] - still[:, :1]
    gx, gy = gradient.split(1, dim=1)
    sums = _box(weight * torch.cat((gx * gx, gx * gy, gy * gy, gx * error, gy * error, torch.ones_like(gx)), dim=1))
    a, b, c, p, q, mass = sums.split(1, dim=1)
    ridge = 1e-4 * mass + 1e-6
    a, c = a + ridge, c + ridge
    determinant = a * c - b * b
    step = torch.cat((b * q - c * p, b * p - a * q), dim=1) / determinant
    return step.clamp(-1.5, 1.5)


def _confidence(still: Tensor, moving: Tensor, flow: Tensor) -> Tensor:
    seen = _shifted(moving, flow)
    weight = still[:, 1:] * seen[:, 1:]
    error = _box(torch.cat((weight * (seen[:, :1] - still[:, :1]).abs(), weight), dim=1))
    return torch.exp(-error[:, :1] / (RESIDUAL_SCALE * error[:, 1:]).clamp(min=1e-4)) * (error[:, 1:] > 1e-3)


def _gradient(image: Tensor) -> Tensor:
    padded = F.pad(image, (1, 1, 1, 1), mode="replicate")
    across = (padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]) / 2
    down = (padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]) / 2
    return torch.cat((across, down), dim=1)


def _box(image: Tensor) -> Tensor:
    """Mean over WINDOW×WINDOW pixels, outside counted as zero."""
    across = F.avg_pool2d(image, (1, WINDOW), stride=1, padding=(0, WINDOW // 2))
    return F.avg_pool2d(across, (WINDOW, 1), stride=1, padding=(WINDOW // 2, 0))


def _shifted(image: Tensor, flow: Tensor) -> Tensor:
    """Sample image at p + flow(p); flow (n, 2, h, w) in px of the image."""
    height, width = image.shape[-2:]
    y, x = torch.meshgrid(
        torch.arange(height, device=image.device), torch.arange(width, device=image.device), indexing="ij"
    )
    grid = torch.stack(((x + flow[:, 0]) * 2 + 1, (y + flow[:, 1]) * 2 + 1), dim=-1)
    grid = grid / grid.new_tensor((width, height)) - 1
    return F.grid_sample(image, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def _add_seen(
    colour: Tensor,
    total: Tensor,
    best: Tensor,
    atlas: Tensor,
    hole: Tensor,
    frame: Tensor,
    offset: int,
    motion: Tensor,
    confidence: Tensor,
) -> None:
    """Add what frames `frame + offset` show in the holes of `frame` to the running weighted mean, in place."""
    height, width = atlas.shape[-2:]
    row, _, y, x = hole[frame].nonzero(as_tuple=True)
    if not len(row):
        return
    guide = torch.cat((motion, confidence), dim=1)
    scale = height / motion.shape[-2]
    small = _bilinear(guide, row, (x + 0.5) / scale - 0.5, (y + 0.5) / scale - 0.5)
    at_x, at_y = x + small[:, 0], y + small[:, 1]
    inside = (at_x >= 0) & (at_x <= width - 1) & (at_y >= 0) & (at_y <= height - 1)
    here = frame[row]
    seen = _bilinear(atlas, here + offset, at_x, at_y)
    in_view = seen[:, 3]
    nearer = (seen[:, 4] - atlas[here, 4, y, x] - 1).clamp(min=0)
    trust = small[:, 2] * torch.exp(-((nearer / 2) ** 2)) * (in_view > 0.6) * inside
    weight = trust**4 / abs(offset)  # the sharpest match wins; a plain mean would blur
    colour[here, :, y, x] += (weight / in_view.clamp(min=1e-3))[:, None] * seen[:, :3]
    total[here, 0, y, x] += weight
    best[here, 0, y, x] = torch.maximum(best[here, 0, y, x], trust)


def _bilinear(image: Tensor, frame: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Sample (F, C, H, W) at n places given by frame and px, clamped to the image: (n, C)."""
    height, width = image.shape[-2:]
    x, y = x.clamp(0, width - 1), y.clamp(0, height - 1)
    x0, y0 = x.floor().long(), y.floor().long()
    x1, y1 = (x0 + 1).clamp(max=width - 1), (y0 + 1).clamp(max=height - 1)
    fx, fy = (x - x0)[:, None], (y - y0)[:, None]
    top = torch.lerp(image[frame, :, y0, x0], image[frame, :, y0, x1], fx)
    bottom = torch.lerp(image[frame, :, y1, x0], image[frame, :, y1, x1], fx)
    return torch.lerp(top, bottom, fy)
