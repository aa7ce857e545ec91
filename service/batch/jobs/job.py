"""Renders clip after clip. One that fails does not stop the others; the end says which did."""

from __future__ import annotations

import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from model.errors import StereoError
from service.batch.errors import EXIT_DONE, EXIT_SOME_CLIPS_FAILED, exit_code_of
from service.batch.jobs.figures import ClipFigures, figures_of
from service.batch.jobs.job_journal import JobJournal
from service.batch.jobs.report import strips_folder, write_report
from service.batch.rendering.clip_render import ClipRender, Rendered, work_folder
from service.batch.rendering.orders import ClipOrder, JobOrder
from service.batch.rendering.window_pool import WindowPool
from service.devices.found_devices import resolve_devices
from service.stereo_model import StereoModel

PROGRESS_S = 0.2
"""How often the progress bar is drawn."""

LOG_PROGRESS_S = 10.0
"""How often it is printed where it cannot overwrite itself."""


@dataclass(frozen=True)
class ClipResult:
    """How a clip ended: with figures, or with an error."""

    order: ClipOrder
    figures: ClipFigures | None
    error: Exception | None

    @property
    def exit_code(self) -> int:
        """Of this clip alone."""
        return EXIT_DONE if self.error is None else exit_code_of(self.error)


def device_names(job: JobOrder) -> list[str]:
    """What the windows of a job run on. Raises InvalidInputError for devices that are none."""
    return ["cluster"] if job.cluster is not None else resolve_devices(job.devices)


def render_job(job: JobOrder, model: StereoModel) -> int:
    """Render all clips; print figures of each and a summary; return the exit code (docs/batch.md).

    Raises InvalidInputError for devices that are none.
    """
    pool = WindowPool(model, device_names(job))
    journal, results = JobJournal(job.journal, model.version()), []
    try:
        for index, order in enumerate(job.clips, 1):
            label = f"{index}/{len(job.clips)} {order.source.name}" if len(job.clips) > 1 else order.source.name
            if (figures := journal.figures_of(order)) is not None:
                print(f"{label}: done by a run before")
                results.append(ClipResult(order, figures, None))
                continue
            strips = None if job.report is None else strips_folder(job.report, index)
            results.append(_render_clip(order, model, pool, label, strips))
            if results[-1].figures is not None:
                journal.add(order, results[-1].figures)
    finally:
        pool.close()
    if job.report is not None:
        write_report(job.report, results, pool.devices)
        print(f"report: {job.report / 'report.html'}")
    journal.close(all_done=all(result.error is None for result in results))
    return _summed_up(results)


def _render_clip(order: ClipOrder, model: StereoModel, pool: WindowPool, label: str, strips: Path | None) -> ClipResult:
    start = time.perf_counter()
    try:
        clip = ClipRender(order, model, pool, strips)
        with _Bar(label, clip.expected) as bar:
            rendered = clip.run(bar.show)
    except (StereoError, OSError, RuntimeError) as error:  # a driver that fails must not cost the other clips
        print(f"error: {error}", file=sys.stderr)
        if work_folder(order).exists():
            print(f"what is done lies in {work_folder(order)}; the same command goes on there", file=sys.stderr)
        return ClipResult(order, None, error)
    figures = figures_of(rendered, time.perf_counter() - start)
    _print_figures(order, rendered, figures, pool.devices)
    return ClipResult(order, figures, None)


class _Bar:
    """Frames done, frames a second, time left."""

    def __init__(self, label: str, expected: int | None) -> None:
        interval_s = PROGRESS_S if sys.stderr.isatty() else LOG_PROGRESS_S
        self._bar = tqdm(
            total=expected, desc=label, unit="frame", mininterval=interval_s, miniters=0, dynamic_ncols=True
        )
        self._begun = False

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def show(self, frames: float, expected: int | None) -> None:
        """Move the bar; what was done before this run does not count as speed."""
        if not self._begun:
            self._bar.initial = self._bar.n = frames
            self._begun = True
        self._bar.total = None if expected is None else max(expected, frames)
        self._bar.update(round(frames, 1) - self._bar.n)


def _print_figures(order: ClipOrder, rendered: Rendered, figures: ClipFigures, devices: str) -> None:
    for note in rendered.notes:
        print(f"note: {note}", file=sys.stderr)
    for warning in figures.sentences:
        print(f"warning: {warning}", file=sys.stderr)
    for output in order.outputs:
        print(f"{output.path}: {figures.frames} frames, {output.kind}")
    if figures.resumed_frames:
        print(f"went on after {figures.resumed_frames} frames that were done before")
    print(f"{figures.elapsed_s:.1f} s, {figures.frames_per_s:.2f} frames/s on {devices}")
    for stage, seconds in figures.seconds.items():
        print(f"  {stage:15} {seconds:8.2f} s")


def _summed_up(results: list[ClipResult]) -> int:
    failed = [result for result in results if result.error is not None]
    if len(results) == 1:
        return results[0].exit_code
    kinds = Counter("failed" if result.error else "done" for result in results)
    print(f"{kinds['done']} of {len(results)} clips are done")
    for result in failed:
        print(f"  failed: {result.order.source}: {result.error}")
    return EXIT_SOME_CLIPS_FAILED if failed else EXIT_DONE
