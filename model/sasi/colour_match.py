"""Colours of a fill matched to its surroundings: what a codec gives back is a little off, and shows as a patch.

Beside a hole both are known, the view and what the codec made of it. Their difference is continued smoothly into the
hole and taken away there, like the membrane of seamless cloning (Pérez et al. 2003). Members that copy the view's own
pixels need none of it.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from model.sasi.candidates import push_pull


def match_colours(image: Tensor, view: Tensor, hole: Tensor, block_px: int) -> Tensor:
    """Take from a fill the difference that it has from the view beside holes.

    image, view (T, 3, H, W)     hole (T, 1, H, W) bool
    block_px  side of the blocks that were computed wherever a hole touches them; H and W are multiples of it
    returns   `image`, equal to the view in the seen pixels of these blocks; unchanged where nothing is seen at all
    """
    touched = F.max_pool2d(hole.float(), block_px)
    beside = F.interpolate(touched, scale_factor=block_px, mode="nearest") * ~hole
    return image + push_pull(view - image, beside)
