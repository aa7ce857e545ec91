"""The C++ kernel (`native.cpp`) on tensors; `reference.py` is its definition."""

from __future__ import annotations

import torch
from torch import Tensor

from model.errors import InvalidInputError
from model.warp import _native
from model.warp.prepare import NOT_FINITE


def warp_frames(image: Tensor, disparity: Tensor, threshold: float) -> tuple[Tensor, Tensor, Tensor]:
    """Warp frames on as many threads as torch uses; any number of threads gives equal bits.

    image      (T, C, H, W) float32 on the CPU
    disparity  (T, 1, H, W) float32, px, finite
    returns    view (T, C, H, W) float32, disocclusion (T, 1, H, W) bool, disparity (T, 1, H, W) float32

    Raises InvalidInputError for colour that is not finite.
    """
    image, disparity = image.contiguous(), disparity.contiguous()
    view, new_disparity = torch.empty_like(image), torch.empty_like(disparity)
    disocclusion = torch.empty(disparity.shape, dtype=torch.bool)
    finite = _native.warp_frames(
        image.numpy(),
        disparity.numpy(),
        threshold,
        view.numpy(),
        disocclusion.numpy(),
        new_disparity.numpy(),
        torch.get_num_threads(),
    )
    if not finite:
        raise InvalidInputError(NOT_FINITE)
    return view, disocclusion, new_disparity
