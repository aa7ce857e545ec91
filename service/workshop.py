"""What all calls of a service share."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

from service.admission import Admission
from service.config import ServiceLimits
from service.frame_cache import FrameCache
from service.frame_store import FrameStores
from service.gpu_worker import DeviceWorker
from service.stereo_model import StereoModel


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
    limits: ServiceLimits
    admission: Admission
    copiers: ThreadPoolExecutor  # copies pixels beside the event loop
    calls: dict[bytes, RunningCall] = field(default_factory=dict)  # by request_id
    draining: bool = False

    def make_room(self, device: str) -> None:
        """Give back what memory we can do without; called when a window found too little."""
        self.cache.clear()
        self.model.unload(device)
