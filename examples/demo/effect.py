"""The effect as an editor has it: the built bundle in a headless host, which starts its own service."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from examples.demo.media import Image
from examples.demo.timing import Split
from model.settings import Settings
from tests.ofx_host import ArrayClip, Host

WINDOW_S = 1800.0
"""What a window may take here: a few busy cores are slower than what the effect's own default waits for."""
LEAVING_S = 40.0
"""How long a service may take to finish what it does, once it is told to leave."""


class StereoEffect:
    """The plugin in a host of Nuke's habits, with a service of its own that ends with it.

    The plugin starts the service by itself, as in any host. The private runtime folder keeps it apart from a service
    that the user may have, and lets `close` find it.
    """

    def __init__(self, bundle: Path) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="stereo-demo-"))
        self._trace = self._folder / "trace.jsonl"
        os.environ["STEREO_CONVERT_RUNTIME_DIR"] = str(self._folder)
        os.environ["STEREO_CONVERT_TRACE"] = str(self._trace)
        self._host = Host("nuke")
        self._plugin = self._host.load(bundle)
        self.split = Split()

    def __enter__(self) -> StereoEffect:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def render(
        self, frames: Iterable[int], source: Image, depth: Image | None = None, **settings: Any
    ) -> Iterator[Image]:
        """Render frames of a clip, in that order.

        source   (T, H, W, 3)  float32, RGB
        depth    (T, H, W)     float32, for the Depth clip; None leaves it unconnected
        yields   (H', W', 4)   float32, RGBA

        Raises RenderFailed with the plugin's message, HostCheckError if the plugin broke a rule of OpenFX.
        """
        effect = self._plugin.create("General")
        effect.set_clip("Source", ArrayClip(source, fps=25.0, depth="Float"))
        if depth is not None:
            effect.set_clip("Depth", ArrayClip(depth[..., None], fps=25.0, depth="Float"))
        effect.set("timeout", WINDOW_S)
        for name, value in settings.items():
            effect.set(name, _as_param(name, value))
        try:
            begun = time.perf_counter()
            for picture in effect.render_range(frames):
                self.split.wall_s += time.perf_counter() - begun
                self.split.frames += 1
                yield np.asarray(picture, np.float32)
                begun = time.perf_counter()
            effect.check()
        finally:
            effect.close()

    def close(self) -> None:
        """Unload the plugin, end the service that it started, and remove its folder."""
        self._host.close()
        _stop_service(self._folder / "service.lock")
        shutil.rmtree(self._folder, ignore_errors=True)

    def forget_times(self) -> None:
        """Begin a new split: what was rendered before does not count."""
        self.split = Split()
        self._trace.unlink(missing_ok=True)

    def times(self) -> Split:
        """Where the time went since `forget_times`."""
        self.split.add_trace(self._trace)
        return self.split


def _as_param(name: str, value: Any) -> Any:
    """A setting's value as the panel has it: a choice is the index of its option."""
    rules = next(setting.metadata for setting in fields(Settings) if setting.name == name)
    if "choices" in rules and not isinstance(value, bool):
        return rules["choices"].index(value)
    return value


def _stop_service(lock: Path) -> None:
    """Ask the process that holds the lock to leave, and wait until it has."""
    with suppress(FileNotFoundError, ValueError, ProcessLookupError):
        process = int(lock.read_text())
        os.kill(process, signal.SIGTERM)
        deadline = time.monotonic() + LEAVING_S
        while time.monotonic() < deadline:
            with suppress(ChildProcessError):
                os.waitpid(process, os.WNOHANG)  # the plugin started it, so it is this process's child
            os.kill(process, 0)
            time.sleep(0.05)
        raise RuntimeError(f"the demo's service, process {process}, has not left within {LEAVING_S:g} s")
