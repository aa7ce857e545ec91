"""The C++ kernel (`native.cpp`) on tensors; `reference.py` is its definition."""

from __future__ import annotations

import torch
from torch import Tensor

from model.errors import InvalidInputError
from model.warp import _native
from model.warp.prepare import CONTAINED_FRACTION, NOT_FINITE, RAMP_FRACTION, SnapSettings, fill_unknown


def warp_frames(image: Tensor, disparity: Tensor, threshold: float) -> tuple[Tensor, Tensor, Tensor]:
    """Warp frames on as many threads as torch uses; any number of threads gives equal bits.

    image      (T, C, H, W) float32 or float16 on the CPU
    disparity  (T, 1, H, W) float32, px; NaN is unknown
    returns    view (T, C, H, W) float32, disocclusion (T, 1, H, W) bool, disparity (T, 1, H, W) float32

    Raises InvalidInputError for colour that is not finite and infinite disparity.
    """
    image, disparity = image.contiguous(), disparity.contiguous()
    finding, *warped = _native.warp_frames(image.numpy(), disparity.numpy(), threshold, torch.get_num_threads())
    if finding.startswith("disparity"):
        return warp_frames(image, fill_unknown(disparity), threshold)
    if finding:
        raise InvalidInputError(NOT_FINITE)
    view, disocclusion, new_disparity = map(torch.from_numpy, warped)
    return view, disocclusion, new_disparity


def snap_edges(disparity: Tensor, edge_fix_px: float) -> Tensor:
    """Do what `prepare.snap_edges` defines, bit for bit, about ten times as fast.

    disparity    (T, 1, H, W) float32 on the CPU, px, finite
    edge_fix_px  >= 0, as there
    returns      (T, 1, H, W) float32, px
    """
    settings = SnapSettings.of(edge_fix_px)
    snapped = _native.snap_edges(
        disparity.contiguous().numpy(),
        settings.reach,
        settings.growth,
        settings.rise,
        CONTAINED_FRACTION,
        RAMP_FRACTION,
        torch.get_num_threads(),
    )
    return torch.from_numpy(snapped)
