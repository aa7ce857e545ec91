"""The real server around a model whose answer is a formula, for tests of the plugin: in a thread, or as a program.

The formula shows whatever could go wrong on the way: mirrored columns tell left from right, the frame number and the
disparity tell windows and settings apart, the mean of the depth tells which depth frame came.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from service.config import ServiceConfig  # noqa: E402
from service.serve import RunningService, serve, start  # noqa: E402
from service.stereo_model import Inventory, WindowInput, WindowOutput  # noqa: E402
from tests.ofx_plugin.gate import Gate  # noqa: E402


def formula(left: np.ndarray, number: int, disparity: float = 2.5, depth: np.ndarray | None = None) -> np.ndarray:
    """The right eye of frame `number`; (H, W, C) in and out, alpha kept."""
    right = left[:, ::-1] * np.float32(0.5)
    right[..., :3] += np.float32(0.002 * (number % 100) + 0.01 * disparity)
    if depth is not None:
        right[..., :3] += np.float32(0.1) * np.float32(depth.mean())
    if left.shape[2] == 4:
        right[..., 3] = left[..., 3]
    return right


@dataclass
class FormulaModel:
    """A model that needs no time but what `before_window` takes."""

    model_version: str = "formula-1"
    before_window: Callable[[WindowInput], None] = lambda window: None
    windows: list[tuple[int, int, tuple[int, ...]]] = field(default_factory=list)  # first frame, length, wanted

    def version(self) -> str:
        return self.model_version

    def inventory(self) -> Inventory:
        return Inventory()

    def lanes(self) -> int:
        return 1

    def load(self, device: str) -> None:
        pass

    def unload(self, device: str) -> None:
        pass

    def caches(self) -> dict:
        return {}

    def convert(self, window: WindowInput, device: str, progress: Callable[[str, float], None]) -> WindowOutput:
        self.windows.append((window.first_frame, len(window.frames), window.wanted))
        self.before_window(window)
        progress("warp", 0.5)
        return WindowOutput(
            images=np.stack([self._image(window, index) for index in window.wanted]),
            depth_estimator="formula",
            stage_times={"warp": 0.001},
            retention=0.0,
            disoccluded=0.0,
            parallax=(0.0, 0.0),
            warnings=(),
        )

    def _image(self, window: WindowInput, index: int) -> np.ndarray:
        left = window.frames[index].transpose(1, 2, 0)
        depth = None if window.depth is None else window.depth[index]
        right = formula(left, window.first_frame + index, window.settings.disparity, depth).transpose(2, 0, 1)
        if window.settings.output == "sbs-full":
            return np.concatenate((window.frames[index], right), axis=2)
        return right


@cache
def event_loop() -> asyncio.AbstractEventLoop:
    """One for all services of the process: grpc.aio polls on a thread of its own that outlives any loop."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    return loop


class ServiceThread:
    """A service in this process, on a Unix socket in `folder`."""

    def __init__(self, folder: Path, model: FormulaModel, **config: Any) -> None:
        self.model = model
        self.address = f"unix:{folder}/service.sock"
        self._config = ServiceConfig(runtime_dir=folder, devices=("cpu",), warm_up=False, **config)
        self._running: RunningService = self._await(start(self._config, model))

    def stop(self) -> None:
        self._await(self._running.stop(0.1))

    @property
    def port(self) -> int | None:
        """Of TCP, when it listens there."""
        return self._running.port

    @property
    def bytes_by_chunks(self) -> int:
        """Pixels that the service keeps itself: only those that came as chunks."""
        return self._running.servicer.shop.cache.used_bytes

    def _await(self, coroutine: Coroutine) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, event_loop()).result()


def main(arguments: list[str]) -> int:
    """`serve --socket PATH --idle-exit S`, as the plugin starts the service; FORMULA_GATE is the folder of a Gate."""
    config = ServiceConfig(socket=Path(arguments[arguments.index("--socket") + 1]), devices=("cpu",), warm_up=False)
    gate = os.environ.get("FORMULA_GATE")
    return asyncio.run(serve(config, FormulaModel() if gate is None else FormulaModel(before_window=Gate(Path(gate)))))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
