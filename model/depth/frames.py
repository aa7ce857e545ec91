"""Work on the frames of a window, one by one and side by side."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

import numpy as np

Item = TypeVar("Item")
Result = TypeVar("Result")

_MAX_THREADS = 4


def each(function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Apply a pure function to each item on a few threads; results in the order of the items.

    NumPy and OpenCV let go of the interpreter lock, so this pays; what each call returns does not depend on the others.
    `function` itself must not come back here: it would wait for the thread on which it runs.
    """
    return list(_threads(os.getpid()).map(function, items))


@cache
def _threads(process: int) -> ThreadPoolExecutor:
    """The threads of this process (a fork has none of its parent's), for as long as it lives.

    OpenCV keeps some 400 bytes for every thread that ever used its own threads: with new ones for each call, a service
    held 9 kB more after each window.
    """
    return ThreadPoolExecutor(min(_MAX_THREADS, os.cpu_count() or 1), thread_name_prefix="depth")


def channel_sum(image: np.ndarray) -> np.ndarray:
    """Sum over the last, short axis: several times as fast as `sum(axis=-1)`, and in a fixed order."""
    return sum(np.moveaxis(image, -1, 0)[1:], start=image[..., 0])


def magnitude(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Lengths of vectors. cv2.magnitude gives other last bits when its memory lies elsewhere, so it is not pure."""
    return np.sqrt(x * x + y * y)
