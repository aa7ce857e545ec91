"""The fill as a whole: what every member shares around selecting tokens, sampling and blending (DESIGN.md §6)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from model.errors import DeviceMemoryError, InvalidInputError, ShapeError
from model.sasi.blend import blend_pixels, feather_weight
from model.sasi.fill_rules import FillRules
from model.sasi.resize import FillSize
from model.sasi.value_range import ValueRange, value_range

Progress = Callable[[str, float], None]
"""(stage, fraction of it done); may raise Cancelled."""

Encode = Callable[[Tensor], Tensor]
"""Video to latents: a function of nothing but the video."""

STAGE = "fill"
ENCODED, SAMPLED = 0.4, 0.9
"""Fractions of the fill at which its input is encoded, and its latent sampled."""


@dataclass(frozen=True)
class Fill:
    """view (T, C, H, W) float32 without holes     retention  fraction of all tokens that were computed, 0..1"""

    view: Tensor
    retention: float


@dataclass(frozen=True)
class Card:
    """What people are told about weights; `version` is a hash of them, `license` an SPDX expression."""

    name: str
    version: str
    license: str = "unknown"
    detail: str = ""


class Inpainter(ABC):
    """A member of the SASI family behind the same settings, sizes, value ranges and blend in pixels.

    version   hash of the weights     patch_px  side of a token
    """

    def __init__(self, card: Card, patch_px: int) -> None:
        self.name, self.version, self.license, self.detail = card.name, card.version, card.license, card.detail
        self.patch_px = patch_px

    def __call__(
        self, view: Tensor, disocclusion: Tensor, disparity: Tensor, dilation: int = 5, steps: int = 1, **rules: object
    ) -> Tensor:
        """Fill and return only the view, (T, C, H, W); arguments as in `fill`."""
        return self.fill(view, disocclusion, disparity, dilation=dilation, steps=steps, **rules).view  # type: ignore[arg-type]

    def fill(
        self,
        view: Tensor,
        disocclusion: Tensor,
        disparity: Tensor,
        *,
        dilation: int = 5,
        steps: int = 1,
        temporal_stride: int = 0,
        first_frame: int = 0,
        blend: bool = True,
        feather_px: float | None = None,
        max_width: int = 1280,
        frugal: bool = False,
        progress: Progress | None = None,
    ) -> Fill:
        """Fill the disoccluded pixels of one window.

        view             (T, C, H, W) float32, any range; C = 3 RGB, 4 RGBA, 1 grey, 2 grey and alpha; alpha is kept
        disocclusion     (T, 1, H, W) bool, True = fill
        disparity        (T, 1, H, W) float32, px, of what `view` shows
        dilation         1, 3, 5, 7, 9 tokens: how far around the holes tokens are computed
        steps            1..8 network calls
        temporal_stride  frames; all tokens of each such frame of the clip are computed; 0 = off
        first_frame      number in the clip of the window's first frame
        blend            feather the hole's rim; feather_px (None = 4 px at 1920 wide) is how far the fill reaches out
        max_width        px; wider frames are filled at this width and composited at their own
        frugal           take as little memory as the network can, and more time, for the same fill
        progress         called with ("fill", fraction); may raise Cancelled
        returns          Fill; pixels beyond the feather are the input's bits; without holes the input, nothing done

        Raises ShapeError, SettingsError, InvalidInputError (values that are not finite), DeviceMemoryError.
        """
        rules = FillRules(dilation, steps, temporal_stride, first_frame, blend, feather_px, max_width, frugal)
        _check(view, disocclusion, disparity)
        if not disocclusion.any():
            return Fill(view, 0.0)
        try:
            return self._fill(view, disocclusion, disparity, rules, progress or _ignore)
        except (RuntimeError, MemoryError) as error:
            if not _lacks_memory(error):
                raise
            frames, _, height, width = view.shape
            raise DeviceMemoryError(
                f"no memory left to fill {frames} frames of {width}x{height} at max_width {max_width}; "
                "choose a shorter window or a smaller max_width"
            ) from error

    def wrap_encoder(self, wrap: Callable[[Encode], Encode]) -> None:
        """Let `wrap` stand before the encoder, to remember what it makes. A member without latents has none."""
        del wrap

    @torch.no_grad()
    def _fill(self, view: Tensor, hole: Tensor, disparity: Tensor, rules: FillRules, progress: Progress) -> Fill:
        progress(STAGE, 0.0)
        colours = view[:, :3] if view.shape[1] >= 3 else view[:, :1]
        spread = value_range(colours, ~hole)
        size = FillSize.within(view.shape[2], view.shape[3], rules.max_width)
        small = _small_window(colours, hole, disparity, size, spread)
        feather_px = rules.feather_at(view.shape[3])
        image, retention = self._sample(*small, feather_px * size.fill[1] / size.frame[1], rules, progress)
        del small
        result = view.clone()
        for number in range(len(view)):  # frame by frame: temporaries stay small
            one = slice(number, number + 1)
            filled = spread.restore(size.enlarge(image[one]))
            if colours.shape[1] == 1:
                filled = filled.mean(dim=1, keepdim=True)
            weight = feather_weight(hole[one], feather_px)
            result[one, : colours.shape[1]] = blend_pixels(filled, colours[one], weight)
        progress(STAGE, 1.0)
        return Fill(result, retention)

    @abstractmethod
    def _sample(
        self, view: Tensor, hole: Tensor, disparity: Tensor, feather_px: float, rules: FillRules, progress: Progress
    ) -> tuple[Tensor, float]:
        """Fill at the network's size: (T, 3, h, w) in 0..1 units, and the retention.

        Sides are multiples of `resize.GRID_PX`; `progress` is told ENCODED, SAMPLED and what lies between.
        """


def load_inpainter(name_or_path: str | Path = "lite", device: torch.device | str = "cpu") -> Inpainter:
    """Load shipped weights by name, a safetensors file of the lite family, or a folder with Wan 2.1, by path.

    The members are imported when they are chosen. Raises WeightsError, see `load_weights` and `load_wan_inpainter`, and
    InvalidInputError for a device that this machine or this torch lacks.
    """
    _check_device(device)
    from model.sasi.weights import is_shipped, load_weights, named_path

    path = named_path(name_or_path)
    if not is_shipped(name_or_path) and path.is_dir():
        from model.sasi.wan.inpainter import load_wan_inpainter

        return load_wan_inpainter(path, device)
    from model.sasi.lite import LiteInpainter

    return LiteInpainter(load_weights(name_or_path, device))


def _check_device(device: torch.device | str) -> None:
    try:
        torch.zeros(1, device=torch.device(device)).item()  # "meta" has no values
    except (TypeError, RuntimeError, AssertionError) as error:  # torch asserts that it was built for CUDA
        reason = str(error).splitlines()[0]
        raise InvalidInputError(f"device {str(device)!r} cannot be used here: {reason}; choose cpu") from None


def _small_window(
    colours: Tensor, hole: Tensor, disparity: Tensor, size: FillSize, spread: ValueRange
) -> tuple[Tensor, Tensor, Tensor]:
    """The window as the network takes it, made frame by frame; the window itself where that is the same."""
    colours = colours.expand(-1, 3, -1, -1)
    if spread.keeps_all and size.keeps_all:
        return colours, hole, disparity
    frames = [
        size.reduce(spread.normalise(colours[one]), hole[one], disparity[one])
        for one in (slice(number, number + 1) for number in range(len(colours)))
    ]
    small, holes, disparities = zip(*frames, strict=True)
    return torch.cat(small), torch.cat(holes), torch.cat(disparities)


def _lacks_memory(error: RuntimeError | MemoryError) -> bool:
    """Tell a lack of memory from other failures; where torch allocates on a CPU the text alone tells."""
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or "allocate memory" in str(error)


def _ignore(stage: str, fraction: float) -> None:
    del stage, fraction


def _check(view: Tensor, hole: Tensor, disparity: Tensor) -> None:
    if view.ndim != 4 or not 1 <= view.shape[1] <= 4 or min(view.shape) < 1:
        raise ShapeError(f"view must be (T, C, H, W) with 1 to 4 channels; got {tuple(view.shape)}")
    expected = (view.shape[0], 1, *view.shape[2:])
    for name, tensor in (("disocclusion", hole), ("disparity", disparity)):
        if tuple(tensor.shape) != expected:
            raise ShapeError(f"{name} must be {expected} to fit the view; got {tuple(tensor.shape)}")
    if hole.dtype != torch.bool:
        raise InvalidInputError(f"disocclusion must be bool, True = fill; got {hole.dtype}")
    if view.dtype != torch.float32 or disparity.dtype != torch.float32:
        raise InvalidInputError(f"view and disparity must be float32; got {view.dtype} and {disparity.dtype}")
    for name, tensor in (("view", view), ("disparity", disparity)):
        if not torch.isfinite(tensor.sum()) and not torch.isfinite(tensor).all():
            raise InvalidInputError(f"{name} must be finite; replace NaN and infinite values before the fill")
