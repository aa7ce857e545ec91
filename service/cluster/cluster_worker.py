"""One GPU of a Ray cluster: this project's own model in a process of its own, on whatever machine Ray chose."""

from __future__ import annotations

import threading
from dataclasses import replace

from model.errors import Cancelled
from service.caches.model_caches import NOTHING_KEPT, CacheSizes, ModelCaches
from service.devices.device_memory import with_second_try
from service.devices.found_devices import resolve_devices
from service.stereo_model import Inventory, TorchModel, WindowInput, WindowOutput


class ClusterWorker:
    """A Ray actor. Ray calls `convert` on one thread, and the short methods on another while that one works."""

    def __init__(self, sizes: CacheSizes = NOTHING_KEPT) -> None:
        """Load the model: `ready` answers when the first window would be as fast as the others."""
        self._model = TorchModel(ModelCaches(sizes))
        self._device = resolve_devices(("auto",))[0]  # Ray shows a worker its own GPU alone, as cuda:0
        self._stage = ("queued", 0.0)
        self._cancelled = threading.Event()
        self._model.load(self._device)

    def ready(self) -> tuple[str, Inventory]:
        """Version and inventory of the model here."""
        return self._model.version(), self._model.inventory()

    def convert(self, window: WindowInput) -> WindowOutput:
        """Convert one window. Raises what the model raises, or Cancelled."""
        self._cancelled.clear()
        self._stage = ("queued", 0.0)
        # What lies in the object store is shared and read-only; torch takes it for its own.
        own = replace(window, frames=window.frames.copy(), depth=None if window.depth is None else window.depth.copy())
        return with_second_try(
            lambda frugal: self._model.convert(replace(own, frugal=frugal), self._device, self._progress),
            lambda: self._model.unload(self._device),
        )

    def stage(self) -> tuple[str, float]:
        """Where `convert` is: (stage, fraction)."""
        return self._stage

    def cancel(self) -> None:
        """Stop `convert` at its next stage boundary."""
        self._cancelled.set()

    def unload(self) -> None:
        """Give the memory of the models back."""
        self._model.unload(self._device)

    def _progress(self, stage: str, fraction: float) -> None:
        if self._cancelled.is_set():
            raise Cancelled("the window was cancelled")
        self._stage = (stage, fraction)
