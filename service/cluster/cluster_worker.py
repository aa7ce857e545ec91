"""One GPU of a Ray cluster: this project's own model in a process of its own, on whatever machine Ray chose."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from model.errors import Cancelled
from service.caches.model_caches import NOTHING_KEPT, CacheSizes, ModelCaches
from service.devices.device_memory import with_second_try
from service.devices.found_devices import resolve_devices
from service.stereo_model import Inventory, WindowInput, WindowOutput
from service.torch_model import TorchModel

QUEUED = ("queued", 0.0)
CANCELLATIONS = 256
"""So many are remembered: a window may be cancelled while it waits behind one of another front."""


class ClusterWorker:
    """A Ray actor, shared by the fronts of a cluster. `convert` runs on one thread, short methods beside it on others.

    A ticket is a few random bytes that name a window.
    """

    def __init__(self, sizes: CacheSizes = NOTHING_KEPT) -> None:
        """Load the model: `ready` answers when the first window would be as fast as the others."""
        self._model = TorchModel(ModelCaches(sizes))
        self._device = resolve_devices(("auto",))[0]  # Ray shows a worker its own GPU alone, as cuda:0
        self._running = (b"", QUEUED)  # ticket, (stage, fraction); replaced as one
        self._cancelled: deque[bytes] = deque(maxlen=CANCELLATIONS)
        self._model.load(self._device)

    def ready(self) -> tuple[str, Inventory]:
        """Version and inventory of the model here."""
        return self._model.version(), self._model.inventory()

    def convert(self, ticket: bytes, window: WindowInput) -> WindowOutput:
        """Convert one window. Raises what the model raises, or Cancelled."""
        self._running = (ticket, QUEUED)
        self._progress(*QUEUED)
        # What lies in the object store is shared and read-only; torch takes it for its own.
        own = replace(window, frames=window.frames.copy(), depth=None if window.depth is None else window.depth.copy())
        return with_second_try(
            lambda frugal: self._model.convert(replace(own, frugal=frugal), self._device, self._progress),
            lambda: self._model.unload(self._device),
        )

    def stage(self, ticket: bytes) -> tuple[str, float]:
        """Where the `convert` of this ticket is: (stage, fraction)."""
        running, stage = self._running
        return stage if running == ticket else QUEUED

    def cancel(self, ticket: bytes) -> None:
        """Stop the `convert` of this ticket at its next stage boundary, or before it begins."""
        self._cancelled.append(ticket)

    def unload(self) -> None:
        """Give the memory of the models back."""
        self._model.unload(self._device)

    def _progress(self, stage: str, fraction: float) -> None:
        ticket, _ = self._running
        if ticket in self._cancelled:
            raise Cancelled("the window was cancelled")
        self._running = (ticket, (stage, fraction))
