"""A model whose results are known by hand, tiny clips, and a render without a command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.settings import Settings
from service.batch.jobs.job import render_job
from service.batch.media.clip_info import ClipInfo
from service.batch.media.image_io import NO_HEADER, write_image
from service.batch.media.planar_yuv import planar_format
from service.batch.outputs.picture_writer import OutputFile
from service.batch.rendering.orders import ClipOrder, JobOrder
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

    def lanes(self) -> int:
        return 1

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

    def run(source: Path, *outputs: OutputFile, devices=("cpu",), cluster=None, **fields) -> int:
        fields.setdefault("settings", Settings(window=1))
        return render_job(JobOrder((ClipOrder(source, outputs, **fields),), devices, cluster), model)

    return run


@dataclass(frozen=True)
class VideoOrder:
    """A tiny video to write; `codes` is of the first frame's first plane and grows by one a frame."""

    encoder: str = "ffv1"
    pixel_format: str = "yuv420p10le"
    frames: int = 10
    size: tuple[int, int] = FRAME
    times: tuple[int, ...] | None = None  # in 1/1000 s; None: 25 frames a second
    colour: tuple[int, int, int, int] = (9, 16, 9, 1)  # BT.2020, PQ, BT.2020, limited
    options: dict[str, str] = field(default_factory=dict)
    container_options: dict[str, str] = field(default_factory=dict)
    timecode: str | None = None
    sound: bool = False
    subtitles: bool = False


def codes_of(order: VideoOrder, number: int) -> list[np.ndarray]:
    """Planes of frame `number`: noise, the same each time."""
    planar = planar_format(order.pixel_format)
    assert planar is not None
    values = np.random.default_rng(number)
    shapes = [planar.plane_shape(plane, *order.size) for plane in range(3 + planar.has_alpha)]
    return [values.integers(0, int(planar.largest) + 1, shape).astype(planar.dtype) for shape in shapes]


@pytest.fixture
def make_video(tmp_path: Path) -> Callable[..., Path]:
    """Write a video by PyAV: `make_video("a.mov", encoder="prores_ks", ...)`, fields of VideoOrder."""
    pytest.importorskip("av")
    return lambda name, **fields: write_video(tmp_path / name, VideoOrder(**fields))


def write_video(path: Path, order: VideoOrder) -> Path:
    import av

    base = Fraction(1, 1000)
    with av.open(str(path), "w", options=order.container_options) as container:
        stream: Any = container.add_stream(order.encoder, rate=25, options=order.options)
        stream.height, stream.width = order.size
        stream.pix_fmt, stream.time_base = order.pixel_format, base
        stream.codec_context.time_base = base
        set_colour(stream.codec_context, order.colour)
        if order.timecode:
            container.metadata["timecode"] = order.timecode
        beside = [add(container) for wanted, add in ((order.sound, _sound), (order.subtitles, _subtitles)) if wanted]
        container.start_encoding()
        for number in range(order.frames):
            frame = av.VideoFrame(order.size[1], order.size[0], order.pixel_format)
            for plane, codes in zip(frame.planes, codes_of(order, number), strict=True):
                rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
                rows[: len(codes), : codes.shape[1] * codes.itemsize] = codes.view(np.uint8)
            frame.pts = order.times[number] if order.times else 40 * number
            frame.time_base = base
            set_colour(frame, order.colour)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        for packets in beside:
            container.mux(packets)
    return path


def set_colour(target: Any, colour: tuple[int, int, int, int]) -> None:
    target.color_primaries, target.color_trc, target.colorspace, target.color_range = colour


def _sound(container: Any) -> list[Any]:
    """Half a second of noise at 48 kHz, uncompressed where that goes in."""
    import av

    stream = container.add_stream("pcm_s16le", rate=48000, layout="mono")
    packets = []
    for start in range(0, 24000, 1000):
        samples = np.random.default_rng(start).integers(-9999, 9999, (1, 1000)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples, "s16", "mono")
        frame.rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
        packets += stream.encode(frame)
    return packets + stream.encode(None)


def _subtitles(container: Any) -> list[Any]:
    import av

    stream = container.add_mux_stream("subrip")
    packet = av.Packet(b"Hello")
    packet.stream, packet.time_base = stream, Fraction(1, 1000)
    packet.pts = packet.dts = 80
    packet.duration = 120
    return [packet]
