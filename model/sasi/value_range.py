"""Between the picture's own values and the 0..1 that the network was trained on, without losing highlights."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_DISPLAY_LIMIT = 1.05
"""Display-referred pictures may pass 1 a little after resampling; they keep their values."""
_BRIGHT_QUANTILE = 0.995
_LARGEST_SAMPLE = 1_000_000
"""Values looked at for the quantile; torch.quantile takes at most 16 million."""


@dataclass(frozen=True)
class ValueRange:
    """Divide by `gain`, then bend what still lies beyond ±1 into a logarithm; without a gain keep every value."""

    gain: float | None = None

    @property
    def keeps_all(self) -> bool:
        """Tell whether values stay as they are."""
        return self.gain is None

    def normalise(self, colour: Tensor) -> Tensor:
        """Map scene values to about 0..1; monotone and continuous, invertible for any finite value."""
        if self.gain is None:
            return colour
        scaled = colour / self.gain
        size = scaled.abs()
        return torch.where(size <= 1, scaled, scaled.sign() * (1 + size.clamp(min=1).log()))

    def restore(self, normalised: Tensor) -> Tensor:
        """Undo `normalise`."""
        if self.gain is None:
            return normalised
        size = normalised.abs()
        bent = normalised.sign() * (size.clamp(min=1) - 1).exp()
        return torch.where(size <= 1, normalised, bent) * self.gain


def value_range(colour: Tensor, known: Tensor) -> ValueRange:
    """Measure a window: pictures within about 0..1 keep their values, brighter ones are scaled by their highlights.

    colour (T, C, H, W)     known (T, 1, H, W) bool, pixels to look at
    """
    largest = float(colour.amax())
    if largest > _DISPLAY_LIMIT:  # the exact test costs a copy, and most windows need none
        largest = float(torch.where(known, colour, 0.0).amax())
    if largest <= _DISPLAY_LIMIT:
        return ValueRange()
    values = colour.movedim(1, -1)[known[:, 0]].flatten()
    values = values[:: max(1, values.numel() // _LARGEST_SAMPLE)]
    return ValueRange(max(1.0, float(torch.quantile(values, _BRIGHT_QUANTILE))))
