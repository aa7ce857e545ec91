"""The fill as a whole: select tokens, sample, blend twice (DESIGN.md §6, eq. 10–15)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from model.errors import DeviceMemoryError, InvalidInputError, SettingsError, ShapeError
from model.sasi.blend import blend_pixels, blend_tokens, feather_weight
from model.sasi.conditions import prepare_conditions
from model.sasi.noise import position_noise
from model.sasi.resize import FillSize
from model.sasi.sampler import sample
from model.sasi.tokens import keep_index, scatter_patches, token_mask
from model.sasi.transformer import known_latent
from model.sasi.value_range import value_range
from model.sasi.weights import LoadedWeights, load_weights
from model.settings import REFERENCE_WIDTH_PX

Progress = Callable[[str, float], None]
"""(stage, fraction of it done); may raise Cancelled."""

STAGE = "fill"
DILATIONS = (1, 3, 5, 7, 9)
DEFAULT_FEATHER_PX = 4.0
"""At 1920 wide; scales with the frame."""


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

    def __post_init__(self) -> None:
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


@dataclass(frozen=True)
class Fill:
    """view (T, C, H, W) float32 without holes     retention  fraction of all tokens that were computed, 0..1"""

    view: Tensor
    retention: float


class Inpainter:
    """A SASI network with its selection, sampler and blend. `version` is a hash of the weights."""

    def __init__(self, weights: LoadedWeights) -> None:
        self._network = weights.network
        self.patch_px = weights.network.config.patch_px
        self.name = weights.name
        self.version = weights.version
        self.license = weights.metadata.get("license", "unknown")
        self.detail = weights.metadata.get("detail", "")

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
        progress         called with ("fill", fraction); may raise Cancelled
        returns          Fill; pixels beyond the feather are the input's bits; without holes the input, nothing done

        Raises ShapeError, SettingsError, InvalidInputError (values that are not finite), DeviceMemoryError.
        """
        rules = FillRules(dilation, steps, temporal_stride, first_frame, blend, feather_px, max_width)
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

    @torch.no_grad()
    def _fill(self, view: Tensor, hole: Tensor, disparity: Tensor, rules: FillRules, progress: Progress) -> Fill:
        progress(STAGE, 0.0)
        colours = view[:, :3] if view.shape[1] >= 3 else view[:, :1]
        spread = value_range(colours, ~hole)
        size = FillSize.within(view.shape[2], view.shape[3], rules.max_width)
        small = size.reduce(spread.normalise(colours).expand(-1, 3, -1, -1), hole, disparity)
        feather_px = rules.feather_at(view.shape[3])
        image, retention = self._sample(*small, feather_px * size.fill[1] / size.frame[1], rules, progress)
        filled = spread.restore(size.enlarge(image))
        if colours.shape[1] == 1:
            filled = filled.mean(dim=1, keepdim=True)
        result = view.clone()
        result[:, : colours.shape[1]] = blend_pixels(filled, colours, feather_weight(hole, feather_px))
        progress(STAGE, 1.0)
        return Fill(result, retention)

    def _sample(
        self, view: Tensor, hole: Tensor, disparity: Tensor, feather_px: float, rules: FillRules, progress: Progress
    ) -> tuple[Tensor, float]:
        """Fill at the network's size: (T, 3, h, w) in 0..1 units, and the retention."""
        patch_px = self._network.config.patch_px
        conditions = prepare_conditions(view, hole, disparity, view.shape[0])
        progress(STAGE, 0.4)
        number = torch.arange(rules.first_frame, rules.first_frame + view.shape[0], device=view.device)
        kept = keep_index(token_mask(hole, patch_px), number, rules.dilation, rules.temporal_stride)
        touched = token_mask(feather_weight(hole, math.ceil(feather_px)) > 0, patch_px)
        holed = touched.flatten()[kept.flat]

        def velocity(noisy: Tensor, sigma: float) -> Tensor:
            return self._network(noisy, sigma, conditions, kept, holed)

        def on_step(done: int) -> None:
            progress(STAGE, 0.4 + 0.5 * done / rules.steps)

        latent = sample(velocity, position_noise(kept.place, 3 * patch_px**2), rules.steps, on_step)
        latent = blend_tokens(latent, known_latent(conditions, kept, patch_px), holed)
        patches = ((latent + 1) / 2).unflatten(1, (3, -1))
        return scatter_patches(patches, kept, conditions.known, patch_px), len(kept) / touched.numel()


def load_inpainter(name_or_path: str | Path = "lite", device: torch.device | str = "cpu") -> Inpainter:
    """Load shipped weights by name, or a safetensors file by path. Raises WeightsError; see `load_weights`."""
    return Inpainter(load_weights(name_or_path, device))


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
