"""Depth that is not known (NaN, infinite): where it is, and what stands in for it."""

from __future__ import annotations

import torch
from torch import Tensor

from model.errors import InvalidInputError
from model.warp.prepare import from_farther


def fill_unknown(nearness: Tensor, first_frame: int = 0) -> Tensor:
    """Give unknown values the farther of the two known values left and right of them in their row.

    A depth map is mostly unknown where one of its two cameras saw the background only, so the farther neighbour is
    the likelier surface. Rows without any known value take the farther of the nearest filled rows above and below.

    nearness     (T, 1, h, w)  float32, any range, larger is nearer; NaN and infinite values are unknown
    first_frame  number of the first frame, for the message
    returns      (T, 1, h, w)  float32, finite; `nearness` itself where it is known

    Raises InvalidInputError when a frame has no known value at all.
    """
    known = torch.isfinite(nearness)
    if bool(known.all()):
        return nearness
    empty = ~known.flatten(1).any(dim=1)
    if bool(empty.any()):
        frame = first_frame + int(empty.nonzero()[0, 0])
        raise InvalidInputError(
            f"depth of frame {frame}: expected at least one finite value, all {known[0].numel()} are NaN or infinite; "
            "supply a depth clip that covers this frame, or set depth source to Estimate"
        )
    return from_farther(nearness.where(known, torch.nan)).contiguous()
