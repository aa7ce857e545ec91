"""Motion of a window: dense flow between neighbours, the camera's part of it, and what is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from model.depth.frames import each

_SMALLEST = 16  # px; dense flow needs a few of its 8 px patches
_FIT_STEP = 6  # px between the flow vectors that the camera's motion is fitted to
_FIT_ROUNDS = 8
_FIT_SCALE = 0.5  # px at which a residual counts half


@dataclass(frozen=True)
class Flow:
    """Dense flow between neighbouring frames of a window; None across a cut and beyond its ends.

    forward[t]   (h, w, 2) float32, px: where the pixels of frame t are in frame t + 1
    backward[t]  (h, w, 2) float32, px: where the pixels of frame t are in frame t - 1
    """

    forward: Sequence[np.ndarray | None]
    backward: Sequence[np.ndarray | None]


def find_flow(grey: np.ndarray, cuts: tuple[int, ...]) -> Flow:
    """Measure the flow of a window.

    grey   (T, h, w)  uint8; frames smaller than 16 px have no flow
    cuts   indices of frames that start a new shot
    """
    count = len(grey)
    pairs = range(count - 1) if min(grey.shape[1:]) >= _SMALLEST else ()
    forward: list[np.ndarray | None] = [None] * count
    backward: list[np.ndarray | None] = [None] * count
    pairs = [t for t in pairs if t + 1 not in cuts]
    ways = [(t, t + 1) for t in pairs] + [(t + 1, t) for t in pairs]
    for (start, end), flow in zip(ways, each(lambda way: _dense_flow(grey[way[0]], grey[way[1]]), ways), strict=True):
        (forward if start < end else backward)[start] = flow
    return Flow(forward, backward)


def _dense_flow(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    # a new object each time: DIS keeps buffers of the last call
    return cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(before, after, None)  # pyright: ignore


def follow(image: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """Fetch for each pixel what `image` (h, w, ...) holds where `flow` (h, w, 2) leads; edges repeat."""
    height, width = flow.shape[:2]
    x = np.arange(width, dtype=np.float32) + flow[..., 0]
    y = np.arange(height, dtype=np.float32)[:, None] + flow[..., 1]
    return cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def camera_flow(flow: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Fit the motion that a camera gives to a plane: eight numbers, robust against what moves otherwise.

    flow        (h, w, 2) float32, px
    background  (h, w)    float32, 0..1: how likely a pixel is to be far and still, its weight in the fit
    returns     (h, w, 2) float32, px: u = a0 + a1 x + a2 y + a6 x² + a7 x y, v = a3 + a4 x + a5 y + a6 x y + a7 y²
    """
    height, width = flow.shape[:2]
    x = ((np.arange(width, dtype=np.float32) + 0.5) / width - 0.5)[None, :]
    y = ((np.arange(height, dtype=np.float32) + 0.5) / height - 0.5)[:, None]
    sparse = (slice(_FIT_STEP // 2, None, _FIT_STEP),) * 2
    a = _fit_plane(
        *(np.broadcast_to(plane, (height, width))[sparse] for plane in (x, y, *np.moveaxis(flow, -1, 0), background))
    )
    slope = a[6] * x + a[7] * y
    return np.stack((a[0] + a[1] * x + a[2] * y + slope * x, a[3] + a[4] * x + a[5] * y + slope * y), axis=-1)


def _fit_plane(x: np.ndarray, y: np.ndarray, u: np.ndarray, v: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Find a0 .. a7 (float32) by iterated, weighted least squares from vectors (u, v) at places (x, y)."""
    x, y, prior = (plane.ravel().astype(np.float64) for plane in (x, y, background))
    measured = np.stack((u.ravel(), v.ravel())).astype(np.float64)
    one, zero = np.ones_like(x), np.zeros_like(x)
    along_u, along_v = (one, x, y, zero, zero, zero, x * x, x * y), (zero, zero, zero, one, x, y, x * y, y * y)
    equations = np.stack((along_u, along_v), axis=1)  # (8, 2, n)
    model = np.zeros(8)
    model[[0, 3]] = [weighted_median(component, prior) for component in measured]
    for _ in range(_FIT_ROUNDS):
        residual = measured - np.einsum("i,icn->cn", model, equations)
        # Geman-McClure weights: far outliers count nothing
        weight = prior / (1 + (residual**2).sum(axis=0) / _FIT_SCALE**2) ** 2
        # einsum adds in one order whatever the number of threads
        normal = np.einsum("icn,jcn->ij", equations, equations * weight)
        right = np.einsum("icn,cn->i", equations, measured * weight)
        model = np.linalg.solve(normal + 1e-3 * weight.mean() * np.eye(8), right)
    return model.astype(np.float32)


def weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    """Find the value (n,) at which half the weight (n,) lies below."""
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])
