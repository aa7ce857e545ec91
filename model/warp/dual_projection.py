"""PBDP: training pairs for the fill from mono footage (eq. 8-9)."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from model.warp.gapw import gapw


@dataclass(frozen=True)
class DualProjection:
    """A training pair in the input view.

    target         (T, C, H, W) float32: V1, the input itself; under the mask it is the truth
    disocclusion   (T, 1, H, W) bool: M1, pixels of the input that the other eye does not see
    view           (T, C, H, W) float32: V1', the input after two warps, with the background continued under the mask
    disparity      (T, 1, H, W) float32, px: of `view`
    """

    target: Tensor
    disocclusion: Tensor
    view: Tensor
    disparity: Tensor


def dual_projection(image: Tensor, disparity: Tensor, threshold: float | None = None) -> DualProjection:
    """Warp to the other eye and back; what does not come back is the mask.

    image      (T, C, H, W) float32, finite
    disparity  (T, 1, H, W) float32, px, > 0 is nearer than the screen; NaN as in `gapw`
    threshold  as in `gapw`
    returns    DualProjection in the input view

    The mask lies on the left of near objects, as in a left eye. The right eye has its holes on the right: flip input
    and result horizontally to train for it. Raises what `gapw` raises. PBDP, eq. 8-9 (arXiv 2604.12270).
    """
    there = gapw(image, disparity, threshold)
    # The way back shifts by +disparity. Mirrored it is a warp like any other, and near still means large.
    back = gapw(there.view.flip(-1), there.disparity.flip(-1), threshold)
    return DualProjection(
        target=image,
        disocclusion=back.disocclusion.flip(-1),
        view=back.view.flip(-1),
        disparity=back.disparity.flip(-1),
    )
