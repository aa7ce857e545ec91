"""`python -m service render`: a clip through the same worker and pixel code as a window that came over the wire."""

from __future__ import annotations

import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import wait
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from model.errors import InvalidInputError, ShapeError
from model.settings import Settings
from service.clip_windows import ClipWindow, windows_of
from service.devices import resolve_devices
from service.footage import DEFAULT_FPS, Footage, open_footage
from service.frame_wire import encode_frame
from service.gpu_worker import DeviceWorker
from service.picture_writer import PictureWriter, open_writer
from service.stereo_model import DEFAULT_INPAINTER, StereoModel, WindowInput
from service.window_pixels import decode_window
from service.window_plan import InputFrame, WindowPlan, grown_format

PROGRESS_S = 0.2
"""How often the progress bar looks at the worker."""

LOG_PROGRESS_S = 10.0
"""How often it prints where it cannot overwrite itself."""

SourceAndDepth = tuple[np.ndarray, np.ndarray | None]


@dataclass(frozen=True)
class RenderOrder:
    """What to render, and to where."""

    source: Path
    output: Path
    settings: Settings  # depth_source "clip" needs `depth`
    depth: Path | None = None
    codec: str | None = None  # None: by the name of the output
    fps: float | None = None  # None: the source's
    frames: int | None = None  # only so many from the start
    device: str = "auto"
    inpainter: str = DEFAULT_INPAINTER
    depth_estimator: str = ""


def render(order: RenderOrder, model: StereoModel) -> int:
    """Render a clip; print where it is, the time of each stage and frames per second. Raises StereoError."""
    source = open_footage(order.source)
    depth = open_footage(order.depth) if order.depth is not None else None
    _check_lengths(source, depth)
    if source.frame_count == 1:  # a still needs no copies of itself as neighbours
        order = replace(order, settings=replace(order.settings, window=1))
    result_format = grown_format(source.format, order.settings.output)
    writer = open_writer(order.output, order.codec, result_format, order.fps or source.fps or DEFAULT_FPS)
    run = _Run(model, DeviceWorker(resolve_devices((order.device,))[0]), writer, _expected(source, order))
    try:
        frames = _paired(source, depth, order.frames)
        for window in windows_of(frames, source.first_number, order.settings.window):
            run.render(window, _plan(order, source, depth, window))
        writer.finish()
    finally:
        writer.discard()
        run.close()
    run.print_summary(order.output)
    return 0


class _Run:
    """The worker, the writer, the bar and the figures of one render."""

    def __init__(self, model: StereoModel, worker: DeviceWorker, writer: PictureWriter, expected: int | None) -> None:
        self._model, self._worker, self._writer = model, worker, writer
        interval_s = PROGRESS_S if sys.stderr.isatty() else LOG_PROGRESS_S
        self._bar = tqdm(total=expected, unit="frame", mininterval=interval_s, miniters=0, dynamic_ncols=True)
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._warnings: Counter[str] = Counter()
        self._frames = self._clamped = 0
        self._start = time.perf_counter()

    def render(self, window: ClipWindow[SourceAndDepth], plan: WindowPlan) -> None:
        """Convert one window and write its kept frames."""
        images = self._converted(plan, decode_window(plan, _pixels(window)))
        start = time.perf_counter()
        frame_format = self._writer.format
        buffer = np.empty((frame_format.height, frame_format.width, frame_format.channels), frame_format.dtype)
        for position, index in enumerate(plan.wanted):
            image = images[position][: frame_format.channels]
            self._clamped += encode_frame(image, frame_format, buffer.data.cast("B"))
            self._writer.write(buffer, window.numbers[index])
        self._seconds["write"] += time.perf_counter() - start
        self._frames += len(plan.wanted)
        self._show(self._frames)

    def _converted(self, plan: WindowPlan, window: WindowInput) -> np.ndarray:
        if plan.is_passthrough:
            return window.frames[list(plan.wanted)]
        job = self._worker.submit(lambda progress: self._model.convert(window, self._worker.device, progress))
        try:
            while not wait([job.future], PROGRESS_S).done:
                self._show(self._frames + job.state.fraction * len(plan.wanted))
        finally:
            job.cancel()
        output = job.future.result()
        for stage, seconds in output.stage_times.items():
            self._seconds[stage] += seconds
        self._warnings.update(output.warnings)
        return output.images

    def _show(self, frames: float) -> None:
        self._bar.update(round(frames, 1) - self._bar.n)

    def close(self) -> None:
        """Stop the bar and the worker."""
        self._bar.close()
        self._worker.close(wait_s=1.0)

    def print_summary(self, output: Path) -> None:
        """Say what was made, and at what cost."""
        elapsed = time.perf_counter() - self._start
        self._seconds["read, load"] = max(0.0, elapsed - sum(self._seconds.values()))
        for warning, windows in self._warnings.items():
            print(f"warning: {warning} (in {windows} windows)", file=sys.stderr)
        if self._clamped:
            print(
                f"warning: {self._clamped} values did not fit {self._writer.format} and were clamped", file=sys.stderr
            )
        print(f"{output}: {self._frames} frames of {self._writer.format}")
        print(f"{elapsed:.1f} s, {self._frames / elapsed:.2f} frames/s on {self._worker.device}")
        for stage, seconds in self._seconds.items():
            print(f"  {stage:15} {seconds:8.2f} s  {100 * seconds / elapsed:5.1f} %")


def _plan(order: RenderOrder, source: Footage, depth: Footage | None, window: ClipWindow) -> WindowPlan:
    """The plan of a window, as a request would have asked for it."""
    return WindowPlan(
        session_id=bytes(16),
        request_id=bytes(16),
        settings=order.settings,
        first_frame=window.window.first_frame,
        frames=tuple(InputFrame(_key(number, "source"), source.format, None) for number in window.numbers),
        depth=tuple(InputFrame(_key(number, "depth"), depth.format, None) for number in window.numbers)
        if depth
        else (),
        wanted=window.wanted,
        output_slots=(),
        inpainter=order.inpainter,
        depth_estimator=order.depth_estimator,
        interactive=False,
    )


def _pixels(window: ClipWindow[SourceAndDepth]) -> dict[bytes, memoryview]:
    """Bytes of the window's frames, by the keys of its plan."""
    pixels = {}
    for number, (image, depth) in zip(window.numbers, window.frames, strict=True):
        pixels[_key(number, "source")] = np.ascontiguousarray(image).data.cast("B")
        if depth is not None:
            pixels[_key(number, "depth")] = np.ascontiguousarray(depth).data.cast("B")
    return pixels


def _key(number: int, kind: str) -> bytes:
    return f"{kind} {number}".encode()


def _paired(source: Footage, depth: Footage | None, limit: int | None) -> Iterator[SourceAndDepth]:
    """Frames with their depth, at most `limit`. Raises ShapeError when one ends before the other."""
    depths = depth.frames() if depth is not None else None
    count = 0
    for image in source.frames():
        if limit is not None and count >= limit:
            return
        depth_image = next(depths, None) if depths is not None else None
        if depths is not None and depth_image is None:
            raise ShapeError(f"the depth ends after {count} frames, before the clip; they must be equally long")
        yield image, depth_image
        count += 1
    if depths is not None and next(depths, None) is not None:
        raise ShapeError(f"the clip ends after {count} frames, before the depth; they must be equally long")


def _check_lengths(source: Footage, depth: Footage | None) -> None:
    if depth is None or source.frame_count is None or depth.frame_count is None:
        return
    if source.frame_count != depth.frame_count:
        raise InvalidInputError(
            f"the clip has {source.frame_count} frames and the depth {depth.frame_count}; they must be equally long"
        )


def _expected(source: Footage, order: RenderOrder) -> int | None:
    """Frames the bar counts to; only the bar believes a video's header."""
    if order.frames is None:
        return source.reported_count
    return min(order.frames, source.reported_count or order.frames)
