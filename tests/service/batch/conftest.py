"""A model whose results are known by hand, tiny clips, and a render without a command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from model.settings import Settings
from service.batch.clip_info import ClipInfo
from service.batch.image_io import NO_HEADER, write_image
from service.batch.job import render_job
from service.batch.orders import ClipOrder, JobOrder
from service.batch.picture_writer import OutputFile
from service.stereo_model import Inventory, WindowInput, WindowOutput

FRAME = (36, 64)


@dataclass
class HandModel:
    """Multiplies by `factor`; a full side by side is the source twice, a mask is white."""

    factor: float = 1.0
    windows: list[WindowInput] = field(default_factory=list)
    before: Callable[[WindowInput, str], None] = lambda window, device: None

    def version(self) -> str:
        return "hand-1"

    def inventory(self) -> Inventory:
        return Inventory()

    def load(self, device: str) -> None:
        """There is nothing to load."""

    def unload(self, device: str) -> None:
        """There is nothing to unload."""

    def caches(self) -> Mapping:
        return {}

    def convert(self, window: WindowInput, device: str, progress: Callable[[str, float], None]) -> WindowOutput:
        self.windows.append(window)
        self.before(window, device)
        progress("depth", 0.5)
        images, *also = (self._laid_out(kind, window) for kind in (window.settings.output, *window.also))
        return WindowOutput(images, "Hand", {"depth": 0.25}, 0.5, 0.125, (-1.0, 2.0), ("mind the gap",), tuple(also))

    def _laid_out(self, kind: str, window: WindowInput) -> np.ndarray:
        frames = window.frames[list(window.wanted)]
        if kind == "mask":
            return np.ones_like(frames)
        if kind in ("sbs-full", "tb-full"):
            return np.concatenate((frames, frames), axis=3 if kind == "sbs-full" else 2)
        return frames if kind == "left" else frames * np.float32(self.factor)


@pytest.fixture
def model() -> HandModel:
    """Gives each frame back as it was."""
    return HandModel()


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Path]:
    """Write a run of 16 bit PNG of noise, numbered from 101."""

    def make(name: str = "run", count: int = 20) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        for number in range(101, 101 + count):
            pixels = np.random.default_rng(number).integers(0, 65536, (*FRAME, 3)).astype("u2")
            write_image(folder / f"s_{number:04}.png", pixels, NO_HEADER, ClipInfo(), number, 0)
        return folder

    return make


@pytest.fixture
def render(model: HandModel) -> Callable[..., int]:
    """Render one clip: `render(source, right=path, ..., settings=Settings(...))`; returns the exit code."""

    def run(source: Path, *outputs: OutputFile, devices=("cpu",), report=None, **fields) -> int:
        fields.setdefault("settings", Settings(window=1))
        return render_job(JobOrder((ClipOrder(source, outputs, **fields),), devices, report), model)

    return run
