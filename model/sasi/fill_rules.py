"""What a fill may be asked for: numbers, their ranges and defaults, the same for every member."""

from __future__ import annotations

import math
from dataclasses import dataclass

from model.errors import SettingsError
from model.settings import REFERENCE_WIDTH_PX

DILATIONS = (1, 3, 5, 7, 9)
DEFAULT_FEATHER_PX = 4.0
"""At 1920 wide; scales with the frame."""
_LARGEST_NUMBER = 1 << 53
"""Of frames and px: sums of two such numbers still fit a tensor's 64 bits."""


@dataclass(frozen=True)
class FillRules:
    """How to fill; see `Inpainter.fill`. Raises SettingsError for values out of range."""

    dilation: int = 5
    steps: int = 1
    temporal_stride: int = 0
    first_frame: int = 0
    blend: bool = True
    feather_px: float | None = None
    max_width: int = 1280
    frugal: bool = False

    def __post_init__(self) -> None:
        for name in ("dilation", "steps", "temporal_stride", "first_frame", "max_width"):
            value = getattr(self, name)
            if not isinstance(value, int) or abs(value) > _LARGEST_NUMBER:
                raise SettingsError(f"{name} must be a whole number within ±{_LARGEST_NUMBER}; got {value!r}")
        if self.dilation not in DILATIONS:
            raise SettingsError(f"dilation must be one of {DILATIONS} tokens; got {self.dilation!r}")
        if not 1 <= self.steps <= 8:
            raise SettingsError(f"steps must be 1..8; got {self.steps!r}")
        if self.temporal_stride < 0:
            raise SettingsError(f"temporal_stride must be 0 (off) or a number of frames; got {self.temporal_stride!r}")
        if self.feather_px is not None and not (math.isfinite(self.feather_px) and self.feather_px >= 0):
            raise SettingsError(f"feather_px must be a finite number of px, 0 or more; got {self.feather_px!r}")
        if self.max_width < 16:
            raise SettingsError(f"max_width must be at least 16 px; got {self.max_width!r}")

    def feather_at(self, width_px: int) -> float:
        """Feather in px for a frame of this width; 0 when blending is off."""
        if not self.blend:
            return 0.0
        return DEFAULT_FEATHER_PX * width_px / REFERENCE_WIDTH_PX if self.feather_px is None else self.feather_px
