"""What all calls of a service share."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

from service.access.admission import Admission
from service.caches.bounded_cache import BoundedCache
from service.caches.frame_cache import FrameCache
from service.caches.kept_array import SEED_OF_THIS_PROCESS
from service.caches.result_cache import ResultCache
from service.caches.spill import Spill
from service.config import ServiceLimits
from service.devices.gpu_worker import DeviceWorker
from service.stereo_model import StereoModel
from service.watching.metrics import Metrics
from service.watching.recent_frames import RecentFrames
from service.watching.telemetry import Telemetry
from service.wire.frame_store import FrameStores


class RunningCall(Protocol):
    """A window under way, as CancelWindow sees it."""

    def cancel(self) -> None:
        """Stop at the next stage boundary."""
        ...


@dataclass
class Workshop:
    """The model and its devices, and what bounds and remembers the windows of all clients."""

    model: StereoModel
    workers: list[DeviceWorker]
    stores: FrameStores
    cache: FrameCache
    results: ResultCache
    limits: ServiceLimits
    admission: Admission
    metrics: Metrics
    copiers: ThreadPoolExecutor  # copies pixels beside the event loop
    calls: dict[bytes, RunningCall] = field(default_factory=dict)  # by request_id
    telemetry: Telemetry = field(default_factory=Telemetry)
    spill: Spill | None = None  # what caches hold on disk; None: memory alone
    recent: RecentFrames | None = None  # what the page of `--web` shows; None: there is no page
    draining: bool = False

    @property
    def caches(self) -> Mapping[str, BoundedCache]:
        """All that is remembered between windows, by name."""
        return {"frames": self.cache, "results": self.results, **self.model.caches()}

    @property
    def digest_seed(self) -> int:
        """What digests of pixels are made with."""
        return SEED_OF_THIS_PROCESS if self.spill is None else self.spill.digest_seed

    def make_room(self, device: str) -> None:
        """Give back what memory we can do without; called when a window found too little."""
        for cache in self.caches.values():
            cache.clear()
        self.model.unload(device)
