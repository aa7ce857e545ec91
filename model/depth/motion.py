"""Motion of a window: dense flow between neighbours, the camera's part of it, and what is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

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
    for t in pairs:
        if t + 1 not in cuts:
            forward[t] = _dense_flow(grey[t], grey[t + 1])
            backward[t + 1] = _dense_flow(grey[t + 1], grey[t])
    return Flow(forward, backward)


def _dense_flow(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    # a new object each time: DIS keeps buffers of the last call
    return cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(before, after, None)  # pyright: ignore


def path_from(flow: Flow, t: int, sign: int, frames: int) -> tuple[np.ndarray | None, int]:
    """Chain the flow from frame t over up to `frames` frames forwards (sign 1) or backwards (-1).

    returns  path (h, w, 2) px, None if there is no flow; the number of frames that it spans
    """
    steps = flow.forward if sign > 0 else flow.backward
    path, length = None, 0
    while length < frames and (step := steps[t + sign * length]) is not None:
        path = step if path is None else path + follow(step, path)
        length += 1
    return path, length


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
    x, y = (np.arange(width) + 0.5) / width - 0.5, ((np.arange(height) + 0.5) / height - 0.5)[:, None]
    sparse = (slice(_FIT_STEP // 2, None, _FIT_STEP),) * 2
    basis = _planar_basis(*np.broadcast_arrays(x, y))
    equations, measured = basis[:, :, *sparse].reshape(8, 2, -1), np.moveaxis(flow[sparse], -1, 0)
    measured = measured.reshape(2, -1).astype(np.float64)
    prior = background[sparse].ravel().astype(np.float64)
    median = np.array([weighted_median(component, prior) for component in measured])
    model = np.array([median[0], 0, 0, median[1], 0, 0, 0, 0])
    for _ in range(_FIT_ROUNDS):
        residual = measured - np.einsum("i,icn->cn", model, equations)
        # Geman-McClure weights: far outliers count nothing
        weight = prior / (1 + (residual**2).sum(axis=0) / _FIT_SCALE**2) ** 2
        # einsum adds in one order whatever the number of threads
        normal = np.einsum("icn,jcn,n->ij", equations, equations, weight, optimize=False)
        right = np.einsum("icn,cn,n->i", equations, measured, weight, optimize=False)
        model = np.linalg.solve(normal + 1e-3 * weight.sum() / weight.size * np.eye(8), right)
    return np.moveaxis(np.einsum("i,ichw->chw", model, basis), 0, -1).astype(np.float32)


def _planar_basis(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Flow that each of the eight numbers gives: (8, 2, h, w)."""
    one, zero = np.ones_like(x), np.zeros_like(x)
    along_u, along_v = (one, x, y, zero, zero, zero, x * x, x * y), (zero, zero, zero, one, x, y, x * y, y * y)
    return np.stack([np.stack(pair) for pair in zip(along_u, along_v, strict=True)])


def weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    """Find the value (n,) at which half the weight (n,) lies below."""
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])
