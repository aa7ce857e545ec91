"""Renders the same frames in every host, in one order, in a process of its own: prints their hashes as JSON.

python -m tests.ofx_host.render_orders forward
"""

from __future__ import annotations

import hashlib
import json
import random
import sys

import numpy as np
from numpy.typing import NDArray

from tests.ofx_host import PERSONALITIES, ArrayClip, Host
from tests.ofx_host.private_service import BUNDLE

FRAMES = 20
SIZE = (64, 96)
SMALL = (32, 48)  # so that 200 frames in two processes take seconds


def moving_frames(count: int = FRAMES, size: tuple[int, int] = SIZE, channels: int = 4) -> NDArray[np.float32]:
    """A textured scene in which a near disc moves over a slower background; opaque, values about 0..1."""
    height, width = size
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    frames = []
    for n in range(count):
        shifted = x + n
        back = [0.5 + 0.4 * np.sin(shifted * f + y * g) for f, g in ((0.31, 0.12), (0.17, 0.29), (0.23, -0.2))]
        disc = (x - 10 - 3 * n) ** 2 + (y - height / 2) ** 2 < (height / 4) ** 2
        texture = [0.5 + 0.5 * np.sin(x * f - 3 * n * f + y) for f in (0.9, 0.7, 1.1)]
        colour = [np.where(disc, near, far) for near, far in zip(texture, back, strict=True)]
        frames.append(np.stack([*colour, np.ones_like(x)][:channels], axis=-1))
    return np.stack(frames).astype(np.float32)


def order_of(name: str) -> list[int]:
    """The frames forward, backward or shuffled."""
    times = list(range(FRAMES))
    if name == "backward":
        times.reverse()
    if name == "shuffled":
        random.Random(5).shuffle(times)
    return times


def settings_of(personality: str) -> dict:
    """Settings that no other host has, so that no frame comes out of another's cache."""
    return {"engine": "Stretch background", "disparity": 3.0 + list(PERSONALITIES).index(personality) / 4}


def hashes_in(personality: str, order: str) -> dict[int, str]:
    """Render all frames in that order in one host, and check it."""
    with Host(personality) as host:
        effect = host.load(BUNDLE).create("Filter", **settings_of(personality))
        effect.set_clip("Source", ArrayClip(moving_frames(size=SMALL)))
        times = order_of(order)
        pictures = effect.render_range(times)
        hashes = {
            time: hashlib.sha256(picture.tobytes()).hexdigest() for time, picture in zip(times, pictures, strict=True)
        }
        effect.check()
    host.check()  # what unloading brought to light
    return hashes


if __name__ == "__main__":
    json.dump({name: hashes_in(name, sys.argv[1]) for name in PERSONALITIES}, sys.stdout)
