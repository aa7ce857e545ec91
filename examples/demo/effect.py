"""The effect as an editor has it: the built bundle in a headless host, which starts its own service."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import fields
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from examples.demo.media import Image
from examples.demo.timing import Split
from model.settings import Settings
from tests.ofx_host import ArrayClip, Host
from tests.ofx_host.private_service import private_service

WINDOW_S = 1800.0
"""What a window may take here: a few busy cores are slower than what the effect's own default waits for."""


class StereoEffect:
    """The plugin in a host of Nuke's habits, with a service of its own that the plugin starts and that ends with it."""

    def __init__(self, bundle: Path) -> None:
        self._until_closed = ExitStack()
        self._trace = self._until_closed.enter_context(private_service()).folder / "trace.jsonl"
        os.environ["STEREO_CONVERT_TRACE"] = str(self._trace)
        self._plugin = self._until_closed.enter_context(Host("nuke")).load(bundle)
        self.forget_times()

    def __enter__(self) -> StereoEffect:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._until_closed.close()

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
                self._wall_s += time.perf_counter() - begun
                self._frames += 1
                yield np.asarray(picture, np.float32)
                begun = time.perf_counter()
            effect.check()
        finally:
            effect.close()

    def forget_times(self) -> None:
        """Begin a new split: what was rendered before does not count."""
        self._frames, self._wall_s = 0, 0.0
        self._trace.unlink(missing_ok=True)

    def times(self) -> Split:
        """Where the time went since then."""
        split = Split(self._frames, self._wall_s)
        split.add_trace(self._trace)
        return split


def _as_param(name: str, value: Any) -> Any:
    """A setting's value as the panel has it: a choice is the index of its option."""
    rules = next(setting.metadata for setting in fields(Settings) if setting.name == name)
    if "choices" in rules and not isinstance(value, bool):
        return rules["choices"].index(value)
    return value
