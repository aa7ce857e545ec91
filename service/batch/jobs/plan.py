"""What a job would take: the first frames of each clip are rendered, timed, and thrown away."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

from service.batch.errors import EXIT_DONE
from service.batch.jobs.job import device_names
from service.batch.rendering.clip_render import ClipRender
from service.batch.rendering.orders import ClipOrder, JobOrder
from service.batch.rendering.window_pool import WindowPool
from service.stereo_model import StereoModel

GIB = 1 << 30


@dataclass(frozen=True)
class ClipPlan:
    """A clip's frames, and what was measured of it.

    frames  None: the source does not say
    """

    frames: int | None
    measured_frames: int
    elapsed_s: float
    written_bytes: int

    @property
    def hours(self) -> float | None:
        """Of the whole clip, at the speed that was measured."""
        return None if self.frames is None else self.frames * self.elapsed_s / self.measured_frames / 3600

    @property
    def bytes_when_done(self) -> int | None:
        """Of all outputs, if the rest of the clip compresses alike."""
        return None if self.frames is None else round(self.frames * self.written_bytes / self.measured_frames)


def plan_job(job: JobOrder, model: StereoModel, frames: int) -> int:
    """Measure `frames` of each clip at its own settings and say what the job would take.

    Raises StereoError where a clip cannot be rendered: better now than at night.
    """
    pool, plans = WindowPool(model, device_names(job)), []
    try:
        for order in job.clips:
            plans.append(_plan_clip(order, model, pool, frames))
            _print_plan(order, plans[-1], pool.devices)
    finally:
        pool.close()
    if len(plans) > 1 and all(plan.hours is not None for plan in plans):
        print(f"all clips: {sum(plan.hours or 0 for plan in plans):.2f} hours")
    return EXIT_DONE


def _plan_clip(order: ClipOrder, model: StereoModel, pool: WindowPool, frames: int) -> ClipPlan:
    expected = ClipRender(order, model, pool).expected
    with tempfile.TemporaryDirectory(prefix="stereo-plan-") as folder:
        _timed(order, model, pool, Path(folder) / "warm", 1)  # what a first window costs is no speed
        measured, elapsed_s = _timed(order, model, pool, Path(folder) / "plan", frames)
        written = sum(path.stat().st_size for path in (Path(folder) / "plan").rglob("*") if path.is_file())
    return ClipPlan(expected, measured, elapsed_s, written)


def _timed(order: ClipOrder, model: StereoModel, pool: WindowPool, folder: Path, frames: int) -> tuple[int, float]:
    """Render the first frames of a clip into a folder: how many there were, and seconds."""
    outputs = tuple(
        replace(output, path=folder / str(number) / output.path.name) for number, output in enumerate(order.outputs)
    )
    first = order.shots[0].settings if order.shots else order.settings
    short = replace(order, outputs=outputs, shots=(), settings=first, count=min(frames, order.count or frames))
    start = time.perf_counter()
    rendered = ClipRender(short, model, pool).run(lambda done, expected: None)
    return sum(part.frames for part in rendered.parts), time.perf_counter() - start


def _print_plan(order: ClipOrder, plan: ClipPlan, devices: str) -> None:
    speed = plan.measured_frames / plan.elapsed_s
    print(f"{order.source}: {plan.measured_frames} frames in {plan.elapsed_s:.1f} s, {speed:.2f} frames/s on {devices}")
    if plan.hours is None or plan.bytes_when_done is None:
        print("  how many frames it has is not known before it is read")
        return
    print(f"  {plan.frames} frames: {plan.hours:.2f} hours; {plan.bytes_when_done / GIB:.2f} GiB, "
          "twice that until the parts of videos are joined")  # fmt: skip
