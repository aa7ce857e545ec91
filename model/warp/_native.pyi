import numpy as np
from numpy.typing import NDArray

def warp_frames(
    image: NDArray[np.float32],
    disparity: NDArray[np.float32],
    threshold: float,
    view: NDArray[np.float32],
    disocclusion: NDArray[np.bool_],
    view_disparity: NDArray[np.float32],
    threads: int,
) -> bool: ...
