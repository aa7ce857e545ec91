"""The Triton kernels (`triton_kernels.py`, `triton_shade.py`) on tensors; `reference.py` is their definition."""

# Triton is an extra, not there on every machine, and its types describe Python, not what it compiles.
# pyright: reportMissingImports=false, reportArgumentType=false

from __future__ import annotations

import logging

import torch
import triton
from torch import Tensor
from triton.errors import TritonError

from model.errors import InvalidInputError
from model.warp import torch_form
from model.warp.prepare import NOT_FINITE, all_finite, fill_unknown
from model.warp.surfaces import EDGE_REACH, HALF_ROW
from model.warp.triton_kernels import fit_row, measure_row, scatter_row, unmix_row
from model.warp.triton_shade import shade_row

_log = logging.getLogger(__name__)


def warp_frames(image: Tensor, disparity: Tensor, threshold: float) -> tuple[Tensor, Tensor, Tensor]:
    """Warp frames on their own device, one program a row.

    image      (T, C, H, W) float32 or float16
    disparity  (T, 1, H, W) float32, px; NaN is unknown
    returns    view (T, C, H, W) float32, disocclusion (T, 1, H, W) bool, disparity (T, 1, H, W) float32

    Raises InvalidInputError for colour that is not finite and infinite disparity, TritonError for kernels that the
    device does not take.
    """
    if not all_finite(image):
        raise InvalidInputError(NOT_FINITE)
    image, disparity = image.contiguous(), fill_unknown(disparity).contiguous()
    frames, channels, height, width = image.shape
    rows, block = (frames * height,), triton.next_power_of_2(width)

    def numbers() -> Tensor:
        return torch.empty_like(disparity)

    def indices() -> Tensor:
        return torch.full_like(disparity, -1, dtype=torch.int32)

    # Without fused multiply-add edges fall exactly as in the reference.
    options = {"block": block, "num_warps": min(max(block // 256, 1), 16), "enable_fp_fusion": False}
    kind, measured, edge, slope = indices(), numbers(), numbers(), numbers()
    first, last, owner, front, second = (indices() for _ in range(5))
    colour = torch.empty(image.shape, dtype=torch.float32, device=image.device)
    measure_row[rows](image, disparity, kind, measured, height, width, channels, threshold, **options)
    fit_row[rows](kind, measured, edge, slope, height, width, **options)
    unmix_row[rows](image, kind, edge, slope, first, last, colour, height, width, channels, **options)
    for nearest, margin, behind in ((owner, 0.0, False), (front, 0.5, False), (second, 0.5, True)):
        side = 1 + margin + (HALF_ROW * EDGE_REACH if margin > 0 else 0)
        columns = int(side + max(side, threshold)) + 2
        reached = (disparity, kind, edge, slope, first, front, nearest, width, columns)
        scatter_row[rows](*reached, margin=margin, behind_front=behind, **options)
    view, new_disparity = torch.empty_like(colour), numbers()
    disocclusion = torch.empty(disparity.shape, dtype=torch.bool, device=image.device)
    shade_row[rows](
        disparity, edge, slope, first, last, owner, front, second, colour,
        view, disocclusion, new_disparity, height, width, channels, **options,
    )  # fmt: skip
    return view, disocclusion, new_disparity


def agrees_with_torch(device: str) -> bool:
    """Warp two small frames by this form and by torch's: these kernels were written without a GPU."""
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(2, 3, 16, 96, generator=generator).to(device)
    disparity = 8 * torch.rand(2, 1, 16, 12, generator=generator).repeat_interleave(8, -1).to(device)
    try:
        found = warp_frames(image, disparity, 1.5)
        expected = torch_form.warp_frames(image, disparity, 1.5)
    except (TritonError, RuntimeError) as failure:
        _log.warning("the Triton kernels of the warp do not run on this device (%s)", failure)
        return False
    # In the last bit an edge may fall to the other side of a few pixels' centres.
    agree = all(bool((a.float() - b.float()).abs().mean() < 1e-3) for a, b in zip(found, expected, strict=True))
    if not agree:
        _log.warning("the Triton kernels of the warp give other pixels on this device")
    return agree
