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

from model.sasi.box import box_mean

OFFSETS = (1, 2, 4, 8)
"""Frames ahead and behind that are looked at; each distance starts from twice the motion of the one before."""
SCALES = (16, 8)
"""Pictures are aligned at these fractions of the fill's size, coarse to fine; sides must be multiples of the first."""
ROUNDS = 3
RESIDUAL_SCALE = 0.03
"""Mean brightness difference (of a 0..1 range) at which the confidence has fallen to 1/e."""

_LOOKED_AT_ONCE = 1 << 18
"""Pixels of holes that are looked up together: each takes hundreds of bytes meanwhile."""

Level = tuple[Tensor, Tensor]
"""Brightness and weight of small pictures, each (F, 1, h, w)."""


@dataclass(frozen=True)
class TimeGuess:
    """colour (F, 3, H, W), background seen in other frames     confidence (F, 1, H, W) in 0..1"""

    colour: Tensor
    confidence: Tensor


def background_from_time(view: Tensor, atlas: Tensor, hole: Tensor, window_length: int) -> TimeGuess:
    """Collect what other frames show at the places that are holes here.

    view (F, 3, H, W), 0..1     atlas (F, H, W, C) as in `FrameMaps`     hole (F, 1, H, W) bool
    window_length  frames are windows of this length one after the other; alignment never leaves a window
    """
    motions = find_motions(pyramid(view, atlas[..., 3:4].movedim(3, 1)), window_length)
    seen = Seen(hole, atlas[..., 4][hole[:, 0]])
    for offset in motions:
        seen.look(atlas, 0, offset, motions[offset])
    return seen.guess(0, len(view))


def find_motions(levels: list[Level], window_length: int) -> dict[int, Tensor]:
    """Align every frame with others of its window.

    levels   of all frames, as `pyramid` makes them
    returns  by how many frames later the other one comes, rising: (F, h, w, 3), motion in px of the fill and
             confidence; 0 where a frame has no such other
    """
    frames = levels[0][0].shape[0]
    motions = {}
    for direction in (1, -1):
        flow: Tensor | None = None
        for offset in OFFSETS:
            frame = _frames_with(frames, window_length, direction * offset, levels[0][0].device)
            if not len(frame):
                break
            start = None if flow is None else 2 * flow[frame]
            motion, confidence = _align(levels, frame, frame + direction * offset, start)
            found = torch.cat((motion, confidence), dim=1)
            found = found.new_zeros(frames, *found.shape[1:]).index_copy(0, frame, found)
            flow = found[:, :2]
            motions[direction * offset] = found.movedim(1, 3).contiguous()
    return dict(sorted(motions.items()))


def _frames_with(frames: int, window_length: int, offset: int, device: torch.device) -> Tensor:
    number = torch.arange(frames, device=device)
    other = number % window_length + offset
    return number[(other >= 0) & (other < window_length)]


def pyramid(view: Tensor, background: Tensor) -> list[Level]:
    """Brightness and weight at each of SCALES, coarse to fine; each frame's are its own."""
    weight = background
    brightness = view.mean(dim=1, keepdim=True)
    levels = []
    for scale in SCALES:
        small_weight = F.avg_pool2d(weight, scale)
        levels.append((F.avg_pool2d(brightness * weight, scale) / small_weight.clamp(min=1e-6), small_weight))
    return levels


def _align(levels: list[Level], here: Tensor, there: Tensor, start: Tensor | None) -> tuple[Tensor, Tensor]:
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
    sums = box_mean(weight * torch.cat((gx * gx, gx * gy, gy * gy, gx * error, gy * error, torch.ones_like(gx)), dim=1))
    a, b, c, p, q, mass = sums.split(1, dim=1)
    ridge = 1e-4 * mass + 1e-6
    a, c = a + ridge, c + ridge
    determinant = a * c - b * b
    step = torch.cat((b * q - c * p, b * p - a * q), dim=1) / determinant
    return step.clamp(-1.5, 1.5)


def _confidence(still: Tensor, moving: Tensor, flow: Tensor) -> Tensor:
    seen = _shifted(moving, flow)
    weight = still[:, 1:] * seen[:, 1:]
    error = box_mean(torch.cat((weight * (seen[:, :1] - still[:, :1]).abs(), weight), dim=1))
    return torch.exp(-error[:, :1] / (RESIDUAL_SCALE * error[:, 1:]).clamp(min=1e-4)) * (error[:, 1:] > 1e-3)


def _gradient(image: Tensor) -> Tensor:
    padded = F.pad(image, (1, 1, 1, 1), mode="replicate")
    across = (padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]) / 2
    down = (padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]) / 2
    return torch.cat((across, down), dim=1)


def _shifted(image: Tensor, flow: Tensor) -> Tensor:
    """Sample image at p + flow(p); flow (n, 2, h, w) in px of the image."""
    height, width = image.shape[-2:]
    y, x = torch.meshgrid(
        torch.arange(height, device=image.device), torch.arange(width, device=image.device), indexing="ij"
    )
    grid = torch.stack(((x + flow[:, 0]) * 2 + 1, (y + flow[:, 1]) * 2 + 1), dim=-1)
    grid = grid / grid.new_tensor((width, height)) - 1
    return F.grid_sample(image, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


class Seen:
    """Running weighted mean of what other frames show in the holes, kept for the pixels of holes only.

    Sums are made in the order of the frames that were looked into, whichever of them are at hand at a time.
    """

    def __init__(self, hole: Tensor, own: Tensor) -> None:
        """hole (F, 1, H, W) bool     own (n,) px, disparity of the background of its n pixels, frame by frame."""
        self._shape, self._own = hole.shape, own
        place = hole.flatten().nonzero()[:, 0]  # sorted by frame
        self._place = place.int() if hole.numel() < 1 << 31 else place
        self._ends = [0, *hole.flatten(1).sum(dim=1).cumsum(dim=0).tolist()]
        self._colour = own.new_zeros(len(own), 3)
        self._total, self._best = own.new_zeros(len(own)), own.new_zeros(len(own))

    def look(self, atlas: Tensor, first: int, offset: int, motion: Tensor) -> None:
        """Look into frames `first` and following, for the frames that come `offset` before them.

        atlas (f, H, W, C) of the f frames that are looked into     motion (F, h, w, 3) of all frames, of this offset
        """
        frames = self._shape[0]
        start = min(max(0, first - offset), frames)
        end = max(start, min(frames, first + len(atlas) - offset))
        for begin in range(self._ends[start], self._ends[end], _LOOKED_AT_ONCE):
            rows = slice(begin, min(begin + _LOOKED_AT_ONCE, self._ends[end]))
            self._look(rows, atlas, offset - first, motion, abs(offset))

    def _look(self, rows: slice, atlas: Tensor, offset: int, motion: Tensor, distance: int) -> None:
        frame, y, x = self._where(rows)
        scale = self._shape[2] / motion.shape[1]
        small = sample_bilinear(motion, frame, (x + 0.5) / scale - 0.5, (y + 0.5) / scale - 0.5)[0]
        shown, inside = sample_bilinear(atlas, frame + offset, x + small[:, 0], y + small[:, 1])
        in_view = shown[:, 3]
        nearer = (shown[:, 4] - self._own[rows] - 1).clamp(min=0)
        trust = small[:, 2] * torch.exp(-((nearer / 2) ** 2)) * (in_view > 0.6) * inside
        weight = trust**4 / distance  # the sharpest match wins; a plain mean would blur
        self._colour[rows] += (weight / in_view.clamp(min=1e-3))[:, None] * shown[:, :3]
        self._total[rows] += weight
        self._best[rows] = torch.maximum(self._best[rows], trust)

    def _where(self, rows: slice) -> tuple[Tensor, Tensor, Tensor]:
        _, _, height, width = self._shape
        place = self._place[rows].long()
        return place // (height * width), place // width % height, place % width

    def guess(self, first: int, count: int) -> TimeGuess:
        """Spread the means of `count` frames over maps; 0 outside holes."""
        _, _, height, width = self._shape
        colour = self._own.new_zeros(count, 3, height, width)
        confidence = self._own.new_zeros(count, 1, height, width)
        rows = slice(self._ends[first], self._ends[first + count])
        frame, y, x = self._where(rows)
        colour[frame - first, :, y, x] = self._colour[rows] / self._total[rows].clamp(min=1e-20)[:, None]
        confidence[frame - first, 0, y, x] = self._best[rows]
        return TimeGuess(colour, confidence)


def sample_bilinear(maps: Tensor, frame: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Sample maps at places that are clamped to them; differentiable in x and y.

    maps (F, H, W, C), contiguous     frame int64, x and y px, all of one shape S
    returns (S, C), and (S) float32: 1 = inside the maps, 0 = clamped
    """
    _, height, width, channels = maps.shape
    inside = ((x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)).float()
    x, y = x.clamp(0, width - 1), y.clamp(0, height - 1)
    left, top = x.detach().floor().clamp(max=max(width - 2, 0)), y.detach().floor().clamp(max=max(height - 2, 0))
    fx, fy = (x - left)[..., None], (y - top)[..., None]
    pixels = maps.view(-1, channels)
    corner = (frame * height + top.long()) * width + left.long()
    right, below = min(1, width - 1), width * min(1, height - 1)
    upper = torch.lerp(F.embedding(corner, pixels), F.embedding(corner + right, pixels), fx)
    lower = torch.lerp(F.embedding(corner + below, pixels), F.embedding(corner + below + right, pixels), fx)
    return torch.lerp(upper, lower, fy), inside
