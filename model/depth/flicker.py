"""How much estimated depth flickers, before and after it is made steady: `python -m model.depth.flicker CLIP...`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from model.depth.cuts import find_cuts
from model.depth.draft import Draft
from model.depth.estimators import DepthEstimator, find_estimator
from model.depth.pictures import small_pictures
from model.depth.stabilise import flow_of, stabilised
from model.depth.steady import neighbours
from model.errors import InvalidInputError, StereoError
from model.settings import Settings
from model.window import CONTEXT_FRAMES

WIDTH_PX = 1280
"""Flicker is stated in px of disparity at this width, with the default disparity."""

_FRAMES = 17
_NOISE = 0.02  # of 1, standard deviation: a camera at high sensitivity


def flicker_px(nearness: Tensor, frames: Tensor) -> float:
    """Measure by how much the disparity of a surface changes from one frame to the next, on average.

    Each pixel is compared with where the flow finds it in the next frame, as far as its colour there is the same; the
    context frames of the window are left out.

    nearness  (T, 1, h, w)  float32, 0 far .. 1 near
    frames    (T, C, H, W)  float32, C >= 3
    returns   px at 1280 wide
    """
    pictures = small_pictures(frames, (nearness.shape[2], nearness.shape[3]))
    around = neighbours(pictures, flow_of(pictures, find_cuts(frames)))
    values = nearness[:, 0].numpy(force=True)
    change, trust = 0.0, 1e-9
    for t in range(CONTEXT_FRAMES, len(values) - CONTEXT_FRAMES - 1):
        for following in (n for n in around[t] if n.index == t + 1):
            change += float((following.trust * np.abs(values[t] - following.fetch(values[t + 1]))).sum())
            trust += float(following.trust.sum())
    return change / trust * Settings().disparity / 100 * WIDTH_PX


def before_and_after(estimator: DepthEstimator, frames: Tensor) -> tuple[float, float]:
    """Measure the flicker of a window (T, 3, H, W) without and with averaging in time, depth scaled to 0..1."""
    if isinstance(estimator, Draft):
        raw, steadied = Draft(rounds=0).estimate(frames), estimator.estimate(frames)
    else:
        raw = estimator.estimate(frames)
        raw = (raw - raw.min()) / (raw.max() - raw.min()).clamp(min=1e-6)
        steadied = stabilised(raw, frames)
    return flicker_px(raw, frames), flicker_px(steadied, frames)


def still_with_noise(frame: Tensor, count: int = _FRAMES) -> Tensor:
    """Repeat a frame (3, H, W) as a camera would see it that does not move: (T, 3, H, W), new noise each time."""
    noise = torch.randn(count, *frame.shape, generator=torch.Generator().manual_seed(0))
    return (frame + _NOISE * noise).clamp(0, 1)


def read_window(clip: Path, first: int) -> Tensor:
    """Read 17 frames (T, 3, H, W) of a clip, 0..1. Raises InvalidInputError when it has fewer."""
    reader, frames = cv2.VideoCapture(str(clip)), []
    for number in range(first + _FRAMES):
        decoded, picture = reader.read()
        if not decoded:
            raise InvalidInputError(f"expected {first + _FRAMES} frames in {clip}, it has {number}; lower --first")
        if number >= first:
            frames.append(torch.from_numpy(picture[..., ::-1].copy()).movedim(-1, 0).float() / 255)
    return torch.stack(frames)


def main() -> int:
    """Print a table, one row a scene; 0 = done, 2 = wrong input."""
    parser = argparse.ArgumentParser(prog="python -m model.depth.flicker", description=__doc__)
    parser.add_argument("clips", type=Path, nargs="+", metavar="CLIP", help="clips of 17 frames or more")
    parser.add_argument("--first", type=int, default=0, help="number of the first frame (default 0)")
    parser.add_argument("--estimator", default="Draft", help="depth estimator (default Draft)")
    arguments = parser.parse_args()
    try:
        estimator = find_estimator(arguments.estimator)
        print(f"| {estimator.name}: flicker, px at {WIDTH_PX} wide | each frame alone | steadied |\n|---|---|---|")
        for clip in arguments.clips:
            frames = read_window(clip, arguments.first)
            for what, window in (("clip", frames), ("one frame of it, still, with noise", still_with_noise(frames[0]))):
                before, after = before_and_after(estimator, window)
                print(f"| {clip.stem}, {what} | {before:.3f} | {after:.3f} |", flush=True)
    except StereoError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
