"""One window of mono frames to the right eye: ④ disparity, ⑤ GAPW, ⑥ fill, ⑦ composite (DESIGN.md §3)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import torch

from model.depth.cuts import find_cuts
from model.depth.disparity import disparity_from_depth
from model.depth.estimators import DepthEstimator, find_estimator, steady_depth
from model.depth.floating_window import floating_window, mask_edge
from model.errors import FrameFormatError, ShapeError
from model.fill_mask import SEAM_PX, fill_mask
from model.settings import DISPARITY_MEANINGS, Settings
from model.warp.gapw import Warp, gapw
from model.warp.prepare import all_finite

if TYPE_CHECKING:
    from model.sasi.inpainter import Inpainter

COMFORT_LIMIT_PERCENT = 3.0
"""Parallax past which many viewers tire, % of width either way (a desktop screen's usual budget)."""

FLAT_SHARE = 0.1
"""Share of the disparity setting below which a depth clip that is not constant is reported as flat."""

Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Conversion:
    """What one window became.

    left          (T, C, H, W)  float32, the source itself unless a floating window masks its left edge
    right         (T, C, H, W)  float32, as the source: same channels, same range
    disocclusion  (T, 1, H, W)  bool, in the right view, True where it was filled: the left eye saw nothing there
    disparity     (T, 1, H, W)  float32, px of the right view, > 0 nearer than the screen
    retention     share of tokens that were computed, 0..1
    stage_times   seconds of wall time by stage
    min_parallax, max_parallax   % of width over the whole window
    warnings      one sentence each, for the artist
    """

    left: torch.Tensor
    right: torch.Tensor
    disocclusion: torch.Tensor
    disparity: torch.Tensor
    retention: float
    stage_times: dict[str, float]
    min_parallax: float
    max_parallax: float
    warnings: tuple[str, ...]

    def only(self, indices: Sequence[int]) -> Conversion:
        """Keep these frames of the window, in this order; the figures stay those of the whole window."""
        index = list(indices)
        return replace(
            self,
            left=self.left[index],
            right=self.right[index],
            disocclusion=self.disocclusion[index],
            disparity=self.disparity[index],
        )


def convert(
    frames: torch.Tensor,
    depth: torch.Tensor | None = None,
    settings: Settings = Settings(),  # noqa: B008 - frozen
    *,
    first_frame: int = 0,
    inpainter: Inpainter | None = None,
    estimator: DepthEstimator | None = None,
    frugal: bool = False,
    progress: Progress | None = None,
) -> Conversion:
    """Make the right eye of one window.

    frames       (T, C, H, W)  float32, C = 3 (RGB) or 4 (RGBA), any finite range
    depth        (T, 1, h, w)  float32, meaning and range by `settings`; None unless depth_source is "clip"
    first_frame  frame number of frames[0]; seeds the noise and places the range's anchors
    inpainter    None loads "lite" on the frames' device when the engine is SASI
    estimator    None takes the best that is available
    frugal       fill with as little memory as the network can, for more time and the same result
    progress     called with (stage, fraction of the window); may raise Cancelled
    returns      Conversion, on the frames' device

    Raises ShapeError, FrameFormatError, InvalidInputError for input that is never valid; WeightsError;
    DeviceMemoryError.
    """
    _check(frames, depth, settings)
    clock = _StageClock(progress)
    at_width = partial(settings.px_at, frames.shape[-1])
    with clock.stage("depth", 0.0):
        disparity = _disparity(frames, depth, settings, first_frame, estimator)
    with clock.stage("warp", 0.3):
        warp = gapw(frames, disparity, settings.threshold, at_width(settings.edge_fix))
        disocclusion = fill_mask(warp.disocclusion, at_width(SEAM_PX), at_width(settings.mask_grow))
    with clock.stage("fill", 0.5):
        progress = clock.within("fill", 0.5, 0.95)
        rules = {"first_frame": first_frame, "frugal": frugal, "progress": progress}
        right, retention = _filled(warp, disocclusion, settings, inpainter, **rules)
    with clock.stage("composite", 0.95):
        left, right = _masked_by_floating_window(frames, right, disparity, settings, first_frame)
        low, high = (100 * value / frames.shape[-1] for value in (float(disparity.min()), float(disparity.max())))
    clock.report("composite", 1.0)
    warnings = _comfort_warnings(low, high) + _flatness_warnings(high - low, settings)
    return Conversion(left, right, disocclusion, warp.disparity, retention, clock.seconds, low, high, warnings)


def _check(frames: torch.Tensor, depth: torch.Tensor | None, settings: Settings) -> None:
    if frames.ndim != 4 or frames.shape[1] not in (3, 4) or 0 in frames.shape:
        raise ShapeError(f"frames must be (T, 3 or 4, H, W) and not empty; got {tuple(frames.shape)}")
    if frames.dtype != torch.float32:
        raise FrameFormatError(f"frames must be float32; got {frames.dtype}")
    if not all_finite(frames):
        raise FrameFormatError("the source has NaN or infinite colours; clamp or repair it upstream")
    if settings.depth_source == "clip":
        if depth is None:
            raise ShapeError('depth_source is "clip" but no depth came; connect the Depth clip or choose Estimate')
        if depth.ndim != 4 or depth.shape[:2] != (frames.shape[0], 1):
            raise ShapeError(f"depth must be ({frames.shape[0]}, 1, h, w); got {tuple(depth.shape)}")
    if settings.depth_source == "alpha" and frames.shape[1] != 4:
        raise ShapeError('depth_source is "alpha" but the source has no alpha channel')


def _disparity(
    frames: torch.Tensor,
    depth: torch.Tensor | None,
    settings: Settings,
    first_frame: int,
    estimator: DepthEstimator | None,
) -> torch.Tensor:
    """(T, 1, H, W) px at the frames' own width."""
    colour, may_be_normalised = frames[:, :3], True
    if settings.depth_source == "clip":
        assert depth is not None
        chosen = depth
    elif settings.depth_source == "alpha":
        chosen = frames[:, 3:4]
    else:
        estimator = estimator or find_estimator()
        chosen, may_be_normalised = steady_depth(estimator, colour), estimator.normalised
        settings = replace(settings, depth_meaning="white-near")  # the artist's meaning is that of a clip
    return disparity_from_depth(chosen, colour, settings, first_frame=first_frame, may_be_normalised=may_be_normalised)


def _filled(
    warp: Warp, disocclusion: torch.Tensor, settings: Settings, inpainter: Inpainter | None, **rules: Any
) -> tuple[torch.Tensor, float]:
    """The view without holes, and the retention; `rules` are those of `Inpainter.fill` that are no settings."""
    if settings.engine == "none":
        return warp.view.masked_fill(disocclusion, 0.0), 0.0
    if settings.engine == "stretch":
        return warp.view, 0.0
    if inpainter is None:
        from model.sasi.inpainter import load_inpainter

        inpainter = load_inpainter("lite", device=str(warp.view.device))
    fill = inpainter.fill(
        warp.view,
        disocclusion,
        warp.disparity,
        dilation=settings.dilation,
        steps=settings.steps,
        temporal_stride=settings.temporal_stride,
        blend=settings.blend,
        feather_px=settings.px_at(warp.view.shape[-1], settings.feather),
        max_width=settings.max_width,
        **rules,
    )
    return fill.view, fill.retention


def _masked_by_floating_window(
    left: torch.Tensor, right: torch.Tensor, disparity: torch.Tensor, settings: Settings, first_frame: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Black bars at the frame's edges where they would cut near objects off (a window violation)."""
    if settings.floating_window == "off":
        return left, right
    bars = floating_window(disparity, settings, first_frame=first_frame, cuts=find_cuts(left[:, :3]))
    return mask_edge(left, bars.left_px, "left"), mask_edge(right, bars.right_px, "right")


def _comfort_warnings(low: float, high: float) -> tuple[str, ...]:
    warnings = []
    if high > COMFORT_LIMIT_PERCENT:
        warnings.append(
            f"parallax reaches {high:.1f} % in front of the screen (comfort limit {COMFORT_LIMIT_PERCENT:g} %)"
        )
    if low < -COMFORT_LIMIT_PERCENT:
        warnings.append(f"parallax reaches {-low:.1f} % behind the screen (comfort limit {COMFORT_LIMIT_PERCENT:g} %)")
    return tuple(warnings)


def _flatness_warnings(spread: float, settings: Settings) -> tuple[str, ...]:
    """Say so when a depth clip in the dark end of 0..1 leaves most of the disparity unused."""
    given_in_px = settings.depth_meaning in DISPARITY_MEANINGS
    if settings.depth_source == "estimate" or given_in_px or not 0 < spread < FLAT_SHARE * settings.disparity:
        return ()
    return (
        f"depth uses {100 * spread / settings.disparity:.0f} % of its scale, so parallax spans {spread:.2g} % of the "
        f"{settings.disparity:g} % asked for; to use all, set Range to Manual and give its nearest and farthest value",
    )


@dataclass
class _StageClock:
    """Times the stages and passes their progress on."""

    progress: Progress | None
    seconds: dict[str, float] = field(default_factory=dict)

    def report(self, stage: str, fraction: float) -> None:
        if self.progress is not None:
            self.progress(stage, fraction)

    def within(self, stage: str, start: float, end: float) -> Progress:
        """A callback for a part that counts its own 0..1."""
        return lambda _, fraction: self.report(stage, start + (end - start) * fraction)

    @contextmanager
    def stage(self, name: str, fraction: float) -> Iterator[None]:
        self.report(name, fraction)
        start = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - start
