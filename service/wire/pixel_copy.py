"""Copies the bytes of frames, past the processor's caches where the C++ for it was built."""

from __future__ import annotations

import logging

import numpy as np

try:
    from service.wire._pixel_copy import copy as _copy
except ImportError as missing:
    logging.getLogger(__name__).warning("frames are copied by NumPy, up to twice as slow (%s)", missing)
    _copy = np.copyto


def copy_pixels(target: np.ndarray, source: np.ndarray) -> None:
    """Copy `source` into `target`, both (N,) uint8 and contiguous, without the GIL.

    Raises ValueError when the sizes differ.
    """
    _copy(target, source)
