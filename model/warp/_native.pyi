from typing import Any

import numpy as np
from numpy.typing import NDArray

def warp_frames(
    image: NDArray[Any],
    disparity: NDArray[np.float32],
    threshold: float,
    threads: int,
) -> tuple[str, NDArray[np.float32], NDArray[np.bool_], NDArray[np.float32]]: ...
def snap_edges(
    disparity: NDArray[np.float32],
    reach: int,
    growth: int,
    rise: float,
    contained_fraction: float,
    ramp_fraction: float,
    threads: int,
) -> NDArray[np.float32]: ...
