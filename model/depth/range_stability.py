"""How still a background stands when something enters: `python -m model.depth.range_stability PAIRS...`.

Objects are put before measured disparity maps, and the scale of the map with the object is held against the one
without: over the 13 frames between two anchors a pixel of the background moves by the difference.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.data.real_pairs import RealPair, read_pairs
from model.depth.scale import percentiles, scale_of
from model.depth.unknown import fill_unknown
from model.errors import StereoError
from model.settings import Settings
from model.window import window_of

WIDTH_PX = 1920
BAR_PX = 0.1
_MAP_SIZE = (160, 120)
_OBJECTS = 40
_NEARER = (1.1, 5.0)  # times as near as the nearest of the map


def scenes(nearness: Tensor, largest: float) -> Iterator[tuple[Tensor, Tensor]]:
    """Put rounded boxes of 2 % to `largest` of the frame before a map (1, h, w): it with one, and where that is."""
    rng = np.random.default_rng(0)
    height, width = nearness.shape[1:]
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    for _ in range(_OBJECTS):
        area, shape = rng.uniform(0.02, largest) * height * width, rng.uniform(0.4, 2.0)
        tall, wide = min(height, (area * shape) ** 0.5), min(width, (area / shape) ** 0.5)
        top, left = rng.uniform(0.3, 0.9) * height, rng.uniform(0, 1) * width
        inside = ((x - left) / (wide / 2)) ** 4 + ((y - top) / (tall / 2)) ** 4 < 1
        nearest = float(nearness.quantile(0.995)) * rng.uniform(*_NEARER)
        yield torch.where(inside, nearest, nearness), inside


def measure(pair: RealPair, largest: float) -> tuple[NDArray[np.float64], float, float]:
    """Steps of the background point that moves most, px a frame, for each object; disparity used without and with."""
    disparity = cv2.resize(pair.disparity, _MAP_SIZE, interpolation=cv2.INTER_NEAREST)
    nearness = fill_unknown(torch.from_numpy(disparity)[None, None])[0]
    alone = _nearness(nearness)
    steps, used = [], []
    for occupied, inside in scenes(nearness, largest):
        mapped = _nearness(occupied)
        apart = float(((mapped - alone).abs() * ~inside).max())
        steps.append(apart * Settings().disparity / 100 * WIDTH_PX / len(window_of(0, Settings().window).kept))
        used.append(float(mapped.max() - mapped.min()))
    return np.array(steps), float(alone.max() - alone.min()), float(np.mean(used))


def _nearness(depth: Tensor) -> Tensor:
    return scale_of(percentiles(depth), may_be_normalised=False).nearness(depth)


def main() -> int:
    """Print a table, one row a size of object; 0 = done, 2 = wrong input."""
    parser = argparse.ArgumentParser(prog="python -m model.depth.range_stability", description=__doc__)
    parser.add_argument("pairs", type=Path, nargs="+", help="folders of NAME_left, NAME_right[, NAME_disparity]")
    try:
        pairs = [pair for folder in parser.parse_args().pairs for pair in read_pairs(folder)]
    except StereoError as error:
        print(error, file=sys.stderr)
        return 2
    print(
        f"| object up to | px a frame at {WIDTH_PX}: median | 90 % | above {BAR_PX} | disparity used, without | with |"
    )
    print("|---|---|---|---|---|---|")
    for largest in (0.06, 0.12, 0.4):
        steps, without, used = zip(*(measure(pair, largest) for pair in pairs), strict=True)
        every = np.concatenate(steps)
        median, most = np.quantile(every, (0.5, 0.9))
        figures = f"{median:.3f} | {most:.3f} | {(every > BAR_PX).mean():.0%} | {np.mean(without):.0%}"
        print(f"| {largest:.0%} of the frame | {figures} | {np.mean(used):.0%} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
