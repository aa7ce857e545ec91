"""What the artist asked to see: one eye, both in one frame, or the maps behind them."""

from __future__ import annotations

import torch

from model.conversion import Conversion
from model.errors import SettingsError
from model.settings import OUTPUTS

DISPARITY_UNIT_FRAC = 0.10
"""Parallax, as a share of the width, that spans one unit of the grey disparity output."""

_NOTHING = (0.0, 0.0, 0.0)
_LUMA = (0.299, 0.587, 0.114)  # BT.601, as the half-colour anaglyph was first defined
_GREEN, _BLUE = (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)

ANAGLYPHS = {
    # Least-squares red-cyan (E. Dubois, "A projection method to generate anaglyph stereo images", ICASSP 2001).
    "anaglyph": (
        ((0.437, 0.449, 0.164), (-0.062, -0.062, -0.024), (-0.048, -0.050, -0.017)),
        ((-0.011, -0.032, -0.007), (0.377, 0.761, 0.009), (-0.026, -0.093, 1.234)),
    ),
    "anaglyph-half-colour": ((_LUMA, _NOTHING, _NOTHING), (_NOTHING, _GREEN, _BLUE)),
    "anaglyph-grey": ((_LUMA, _NOTHING, _NOTHING), (_NOTHING, _LUMA, _LUMA)),
}
"""Mixtures for red-cyan glasses, of the left and of the right eye; rows make the red, green and blue of the result."""


def compose(output: str, conversion: Conversion) -> torch.Tensor:
    """Lay out a window as `output` asks.

    output      one of model.settings.OUTPUTS
    returns     (T, C, H', W') float32: H' = 2H for "tb-full", W' = 2W for "sbs-full", else the source's size

    Raises SettingsError for an unknown output.
    """
    left, right = conversion.left, conversion.right
    if output == "right":
        return right
    if output == "left":
        return left
    if output in ANAGLYPHS:
        return anaglyph(left, right, output)
    if output == "difference":
        return _difference(left, right)
    if output == "disparity":
        return _as_colour(0.5 + conversion.disparity / (DISPARITY_UNIT_FRAC * left.shape[-1]), left.shape[1])
    if output == "mask":
        return _as_colour(conversion.disocclusion.float(), left.shape[1])
    if output in ("sbs-full", "sbs-half"):
        return _side_by_side(left, right, axis=-1, half=output == "sbs-half")
    if output in ("tb-full", "tb-half"):
        return _side_by_side(left, right, axis=-2, half=output == "tb-half")
    raise SettingsError(f"unknown output {output!r}; the outputs are {', '.join(OUTPUTS)}")


def _side_by_side(left: torch.Tensor, right: torch.Tensor, axis: int, half: bool) -> torch.Tensor:
    if not half:
        return torch.cat((left, right), dim=axis)
    size = left.shape[axis]
    first, second = (size + 1) // 2, size // 2
    return torch.cat((_resized(left, axis, first), _resized(right, axis, second)), dim=axis)


def _resized(image: torch.Tensor, axis: int, size: int) -> torch.Tensor:
    """Area average along one axis; two pixels make one when the size is even."""
    if size == 0:
        return image.narrow(axis, 0, 0)
    height, width = image.shape[-2:]
    target = (height, size) if axis == -1 else (size, width)
    return torch.nn.functional.adaptive_avg_pool2d(image, target)


def anaglyph(left: torch.Tensor, right: torch.Tensor, kind: str = "anaglyph") -> torch.Tensor:
    """Mix both eyes for red-cyan glasses; left, right and result (T, C, H, W) float32, C = 3 or 4.

    kind  one of ANAGLYPHS
    """
    mix_left, mix_right = (torch.tensor(m, dtype=left.dtype, device=left.device) for m in ANAGLYPHS[kind])
    colour = torch.einsum("oc,tchw->tohw", mix_left, left[:, :3]) + torch.einsum(
        "oc,tchw->tohw", mix_right, right[:, :3]
    )
    return torch.cat((colour, _alpha_of_either(left, right)), dim=1)


def _difference(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """How far the eyes are apart, channel by channel; black where they see the same."""
    return torch.cat(((left[:, :3] - right[:, :3]).abs(), _alpha_of_either(left, right)), dim=1)


def _alpha_of_either(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """(T, C - 3, H, W): a mixed pixel covers what either eye covers; without alpha no channel at all."""
    return torch.maximum(left[:, 3:], right[:, 3:])


def _as_colour(grey: torch.Tensor, channels: int) -> torch.Tensor:
    """(T, 1, H, W) to the source's channels; alpha is 1."""
    colour = grey.expand(-1, 3, -1, -1)
    return colour if channels == 3 else torch.cat((colour, torch.ones_like(grey)), dim=1)
