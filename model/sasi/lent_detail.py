"""Texture for a fill that is soft: the fine detail of the background beside it, moved over as it is.

What a network can be sure of in a hole are its colours; the detail it weighs together from several places is too weak.
So each row of a hole also takes the detail of the background that it would lie on if it were moved there. All its
pixels move alike, and rows of a hole move about alike (as far as the near object's disparity): the texture stays whole,
has the strength of real detail, and follows the background from frame to frame.
"""

from __future__ import annotations

import torch
from torch import Tensor

from model.sasi.box import box_sum
from model.sasi.candidates import shift_onto_background
from model.sasi.conditions import Conditions

SHARE = 0.6
"""Of the background's detail that is added."""
CALM = 0.4
"""Of the fill's own detail that makes room for it. Both were chosen on validation media (model/weights/lite.md)."""


def lend_detail(image: Tensor, conditions: Conditions) -> Tensor:
    """Give filled frames (F, 3, H, W) the detail of their background; pixels outside holes keep their bits."""
    result = image.clone()
    for number in range(len(image)):  # frame by frame: temporaries stay small
        hole, column, atlas = conditions.hole[number], conditions.column[number], conditions.atlas[number]
        _, y, x = hole.nonzero(as_tuple=True)
        shift = shift_onto_background(hole, column)[0, y, x]
        there = atlas[y, (x + shift).clamp(0, hole.shape[2] - 1)]  # (n, 8)
        filled, calm = image[number, :, y, x], _smoothed(image[number])[:, y, x]
        lent = CALM * (calm - filled) + SHARE * there[:, 5:].T
        result[number, :, y, x] = filled + lent * (there[:, 3] > 0)
    return result


def _smoothed(image: Tensor) -> Tensor:
    """Mean of (3, H, W) over the window that detail is measured against; at the border over what there is of it."""
    return box_sum(image) / box_sum(torch.ones_like(image[:1]))
