"""Clips made on the spot."""

import cv2
import numpy as np
import pytest


@pytest.fixture
def write_clip(tmp_path):
    """Writer of a clip of a bright block that walks over a pattern: (name, frames, cut=frame) -> path."""

    def write(name, frames, cut=None, seed=0):
        path = tmp_path / "clips" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25, (96, 48))
        rng = np.random.default_rng(seed)
        first = cv2.resize(rng.integers(0, 200, (6, 12, 3), dtype=np.uint8), (96, 48))
        second = np.zeros_like(first) + np.linspace(0, 160, 48, dtype=np.uint8)[:, None, None]
        second[..., 0] = 200
        for number in range(frames):
            picture = (second if cut is not None and number >= cut else first).copy()
            picture[16:40, 20 + number : 36 + number] = (250, 240, 90)
            writer.write(picture)
        writer.release()
        return path

    return write
