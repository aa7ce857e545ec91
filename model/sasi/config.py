"""What a SASI network looks like; stored as JSON in the metadata of its weights."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, fields

from model.errors import WeightsError

FAMILY = "stereoconvert-sasi-lite-2"
"""Names the architecture in the weights' metadata; changes when old weights can no longer be read."""

_LARGEST_SIZE = 1 << 14
"""Of anything that is counted: what a damaged file asks for is told before memory is taken for it."""
_LARGEST_CELL = 1 << 16


@dataclass(frozen=True)
class Scope:
    """The cell of tokens that attend to each other: extent and offset along (t, y, x), in tokens.

    Cells tile the whole sequence, so a block costs the same per token however long the window is.
    """

    extent: tuple[int, int, int]
    offset: tuple[int, int, int] = (0, 0, 0)

    def __post_init__(self) -> None:
        whole = all(type(value) is int for value in (*self.extent, *self.offset))
        if not whole or (len(self.extent), len(self.offset)) != (3, 3) or min(self.extent) < 1:
            raise WeightsError(f"a scope must be three extents of at least 1 token and three offsets; got {self}")
        if math.prod(self.extent) > _LARGEST_CELL:
            raise WeightsError(f"a scope may hold {_LARGEST_CELL} tokens; got {self.extent}")


_FRAME = Scope((1, 8, 8))
_FRAME_OFFSET = Scope((1, 8, 8), (0, 4, 4))
_TIME = Scope((4, 4, 4))
_TIME_OFFSET = Scope((4, 4, 4), (2, 2, 2))


@dataclass(frozen=True)
class SasiConfig:
    """Sizes of the network. Raises WeightsError when they do not fit together."""

    patch_px: int = 8  # a token is one patch of this size in one frame
    width: int = 128  # D
    heads: int = 4
    rope: tuple[int, int, int] = (8, 12, 12)  # channels of a head that turn with t, y, x
    mlp_ratio: int = 2
    scopes: tuple[Scope, ...] = (_FRAME, _TIME, _FRAME_OFFSET, _TIME_OFFSET, _FRAME)
    sources: int = 6  # displaced places that the copy head may take pixels from
    reach_px: float = 32.0  # farthest learned displacement from a source's starting place
    pixel_width: int = 48  # of the head's small network that judges every pixel
    residual: float = 0.15  # largest correction to copied pixels, in units of the normalised range 0..1

    def __post_init__(self) -> None:
        self._check_numbers()
        head_width = self.width // self.heads
        if self.width % self.heads or sum(self.rope) != head_width or any(part % 2 for part in self.rope):
            raise WeightsError(
                f"width {self.width} over {self.heads} heads must give a head of sum(rope) channels, "
                f"each part even; rope is {self.rope}"
            )

    def _check_numbers(self) -> None:
        names = ("patch_px", "width", "heads", "mlp_ratio", "sources", "pixel_width")
        for name, value in (*((name, getattr(self, name)) for name in names), *(("rope", part) for part in self.rope)):
            if type(value) is not int or not 1 <= value <= _LARGEST_SIZE:
                raise WeightsError(f"{name} must be a whole number of 1 to {_LARGEST_SIZE}; got {value!r}")
        for name in ("reach_px", "residual"):
            value = getattr(self, name)
            if not isinstance(value, int | float) or not (math.isfinite(value) and value > 0):
                raise WeightsError(f"{name} must be a finite number above 0; got {value!r}")

    def to_json(self) -> str:
        """Write the configuration for the metadata of a weights file."""
        return json.dumps(asdict(self), sort_keys=True)

    @staticmethod
    def from_json(text: str) -> SasiConfig:
        """Read what `to_json` wrote; WeightsError for unknown or missing names."""
        try:
            values = json.loads(text)
            known = {field.name for field in fields(SasiConfig)}
            if set(values) != known:
                raise WeightsError(f"the config must have exactly {sorted(known)}; it has {sorted(values)}")
            values["scopes"] = tuple(Scope(tuple(s["extent"]), tuple(s["offset"])) for s in values["scopes"])
            values["rope"] = tuple(values["rope"])
            return SasiConfig(**values)
        except (ValueError, KeyError, TypeError) as error:
            raise WeightsError(f"the config in the weights' metadata cannot be read: {error}") from error
