"""The seam between moving frames and the maths: what the service asks of a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from model.settings import Settings
from service.caches.bounded_cache import BoundedCache
from service.devices.window_job import Progress

DEFAULT_INPAINTER = "lite"


@dataclass(frozen=True)
class WindowInput:
    """One window, off the wire.

    frames  (T, C, H, W) float32, C = 3 or 4
    depth   (T, 1, h, w) float32, or None
    wanted  indices of the frames to return
    also    further outputs to lay out beside that of the settings
    frugal  take less memory and more time, for the same result

    The digests name the pixels of frames and depth within this process; b"" (none were made): nothing is remembered.
    """

    frames: np.ndarray
    depth: np.ndarray | None
    settings: Settings
    first_frame: int
    wanted: tuple[int, ...]
    inpainter: str
    depth_estimator: str
    also: tuple[str, ...] = ()
    frugal: bool = False
    frames_digest: bytes = b""
    depth_digest: bytes = b""


@dataclass(frozen=True)
class WindowOutput:
    """One window, converted.

    images       (len(wanted), C, H', W') float32, laid out as the settings ask
    retention    share of tokens computed, 0..1
    disoccluded  share of pixels that the left eye did not see, 0..1, over the wanted frames
    parallax     % of width over the window, (most negative, nearest)
    also         as `images`, one for each further output that was asked for
    """

    images: np.ndarray
    depth_estimator: str
    stage_times: dict[str, float]
    retention: float
    disoccluded: float
    parallax: tuple[float, float]
    warnings: tuple[str, ...]
    also: tuple[np.ndarray, ...] = ()


@dataclass(frozen=True)
class InventoryEntry:
    """One inpainter or depth estimator, as Describe shows it."""

    name: str
    license: str  # SPDX expression
    available: bool
    detail: str


@dataclass(frozen=True)
class Inventory:
    """What a model offers."""

    inpainters: tuple[InventoryEntry, ...] = ()
    depth_estimators: tuple[InventoryEntry, ...] = ()


class StereoModel(Protocol):
    """What the service needs of a model."""

    def version(self) -> str:
        """A text that changes whenever equal input may give other pixels. Answers at once."""
        ...

    def inventory(self) -> Inventory:
        """What there is, as far as it is known before `load`. Answers at once."""
        ...

    def lanes(self) -> int:
        """How many windows `convert` takes at once on a device, now. Answers at once."""
        ...

    def load(self, device: str) -> None:
        """Make the first window on `device` as fast as the others. Called on that device's worker thread."""
        ...

    def unload(self, device: str) -> None:
        """Give back what memory of `device` models hold; the next window loads again. Called on its worker's thread."""
        ...

    def caches(self) -> Mapping[str, BoundedCache]:
        """What it remembers between windows, by name. They may be cleared at any time."""
        ...

    def convert(self, window: WindowInput, device: str, progress: Progress) -> WindowOutput:
        """Convert one window. Called on the worker's thread of `device`; what `progress` raises passes through."""
        ...
