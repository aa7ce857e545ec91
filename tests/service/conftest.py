"""A service in this process on a private socket, with a model whose results are known by hand."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from service.client import ServiceClient
from service.config import ServiceConfig, ServiceLimits
from service.serve import RunningService, start
from service.stereo_model import Inventory, InventoryEntry, WindowInput, WindowOutput
from service.wire.frame_wire import FrameFormat

WAIT_S = 60.0


@dataclass
class FakeModel:
    """Halves every value of the wanted frames: 0.5 x, exact in float. Waits at `gate` when told to."""

    gate: threading.Event = field(default_factory=threading.Event)
    running: threading.Event = field(default_factory=threading.Event)
    windows: list[WindowInput] = field(default_factory=list)
    unloaded: list[str] = field(default_factory=list)
    error: Exception | None = None  # raised by every window
    errors: list[Exception] = field(default_factory=list)  # raised by one window each
    factor: float = 0.5

    def __post_init__(self) -> None:
        self.gate.set()

    def version(self) -> str:
        return "fake-1"

    def inventory(self) -> Inventory:
        return Inventory(
            (InventoryEntry("lite", "Apache-2.0", True, "halves"),),
            (InventoryEntry("Draft", "Apache-2.0", True, "none"),),
        )

    def lanes(self) -> int:
        """One at a time."""
        return 1

    def load(self, device: str) -> None:
        """There is nothing to load."""

    def unload(self, device: str) -> None:
        """There is nothing to unload, but that it was asked for."""
        self.unloaded.append(device)

    def caches(self) -> dict:
        """Nothing is remembered."""
        return {}

    def convert(self, window: WindowInput, device: str, progress: Callable[[str, float], None]) -> WindowOutput:
        self.windows.append(window)
        self.running.set()
        progress("depth", 0.0)
        while not self.gate.wait(0.005):
            progress("fill", 0.5)
        if self.errors:
            raise self.errors.pop(0)
        if self.error is not None:
            raise self.error
        images = window.frames[list(window.wanted)] * np.float32(self.factor)
        if window.settings.output == "sbs-full":
            images = np.concatenate((images, images), axis=3)
        also = tuple(images for _ in window.also)
        return WindowOutput(images, "Draft", {"depth": 0.25}, 0.5, 0.125, (-1.0, 2.0), ("mind the gap",), also)


class ServiceInThread:
    """A running service with its own event loop."""

    def __init__(self, config: ServiceConfig, model: FakeModel) -> None:
        self.config = config
        self.model = model
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self.running: RunningService = self.call(start(config, model))

    def call(self, coroutine):
        """Run a coroutine on the service's loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(WAIT_S)

    @property
    def shop(self):
        return self.running.servicer.shop

    @property
    def target(self) -> str:
        return f"unix:{self.config.socket_path}"

    def is_at_rest(self) -> bool:
        """Nothing is shared, nothing runs, nobody is connected with a window."""
        shop = self.shop
        return not shop.calls and len(shop.stores) == 0 and all(worker.load == 0 for worker in shop.workers)

    def stop(self, drain_s: float = 0.0) -> None:
        if isinstance(self.model, FakeModel):
            self.model.gate.set()
        self.call(self.running.stop(drain_s))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@pytest.fixture
def runtime_dir() -> Iterator[Path]:
    """A private folder with a short path, for sockets."""
    folder = Path(tempfile.mkdtemp(prefix="sc-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def start_service(runtime_dir: Path) -> Iterator[Callable[..., ServiceInThread]]:
    """Start a service; keyword arguments are those of ServiceConfig, and `limits` a dict of ServiceLimits.

    `model` replaces the one that halves.
    """
    started = []

    def begin(limits: dict | None = None, model=None, **config) -> ServiceInThread:
        config = {"runtime_dir": runtime_dir, "devices": ("cpu",), "warm_up": False, **config}
        service = ServiceInThread(ServiceConfig(limits=ServiceLimits(**(limits or {})), **config), model or FakeModel())
        started.append(service)
        return service

    yield begin
    for service in started:
        service.stop()


@pytest.fixture
def service(start_service) -> ServiceInThread:
    return start_service()


@pytest.fixture
def client(service: ServiceInThread) -> Iterator[ServiceClient]:
    with ServiceClient(service.target) as connected:
        yield connected


@pytest.fixture
def small() -> FrameFormat:
    """A frame of 48 bytes."""
    return FrameFormat(4, 3, np.dtype("u1"), 4)


@pytest.fixture
def make_frames() -> Callable[[FrameFormat, int], list[bytes]]:
    """Frames with random bytes; floating ones with values around 0..1."""

    def frames(frame_format: FrameFormat, count: int) -> list[bytes]:
        values = np.random.default_rng(7).random((count, frame_format.frame_bytes // frame_format.dtype.itemsize))
        scale = np.iinfo(frame_format.dtype).max if frame_format.is_integer else 1.0
        return [(frame * scale).astype(frame_format.dtype).tobytes() for frame in values]

    return frames


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], None]:
    """Wait until a condition holds."""

    def wait_for(condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + WAIT_S
        while not condition():
            assert time.monotonic() < deadline, "it never came true"
            time.sleep(0.005)

    return wait_for
