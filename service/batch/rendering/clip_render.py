"""Renders one clip: windows on all devices, every output from one pass, part by part, so that it can go on later."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from service.batch.errors import UnreadableError
from service.batch.rendering.journal import Journal, PartRecord
from service.batch.rendering.order_identity import order_as_json
from service.batch.rendering.orders import ClipOrder
from service.batch.rendering.output_set import OutputSet
from service.batch.rendering.part_figures import PartFigures
from service.batch.rendering.shot_windows import ShotWindow, shot_windows
from service.batch.rendering.window_pool import WindowPool
from service.batch.sources.ffmpeg_complaints import ffmpeg_complaints
from service.batch.sources.source_frames import SourceFrames, as_tensor
from service.stereo_model import StereoModel, WindowInput, WindowOutput

Progress = Callable[[float, int | None], None]
"""Called with (frames done, frames in all if known)."""


@dataclass(frozen=True)
class Rendered:
    """A clip that is done."""

    parts: tuple[PartRecord, ...]
    resumed: int  # parts that were there already
    notes: tuple[str, ...]


class ClipRender:
    """One clip on its way; `run` is called once.

    strips  a folder for small pictures of each part; None: none are kept

    Raises StereoError when the source cannot be read or an output cannot be.
    """

    def __init__(self, order: ClipOrder, model: StereoModel, pool: WindowPool, strips: Path | None = None) -> None:
        self._order, self._model, self._pool = order, model, pool
        self._source = SourceFrames(order.source, order.depth, order.fps)
        self._shots = order.shots_from(self._source.first_number)
        if self._source.footage.frame_count == 1:  # a still needs no copies of itself as neighbours
            self._shots = [replace(shot, settings=replace(shot.settings, window=1)) for shot in self._shots]
        if self._shots[-1].last is None:
            self._source.refuse_if_cut_short()
        self._outputs = OutputSet(order, self._source, (self._first, self._shots[-1].last), work_folder(order), strips)

    def run(self, progress: Progress) -> Rendered:
        """Render what is not done yet, then give the outputs their names.

        Raises StereoError of any kind; what is done stays, and the next run goes on there.
        """
        with ffmpeg_complaints() as complaints:
            rendered = self._run(progress)
        return replace(rendered, notes=(*rendered.notes, *complaints))

    @property
    def expected(self) -> int | None:
        """Frames in all, as far as the source says."""
        last = self._shots[-1].last
        count = self._source.footage.reported_count
        if last is None and count is not None:
            last = self._source.first_number + count - 1
        return None if last is None else last - self._first + 1

    @property
    def _first(self) -> int:
        first = self._shots[0].first
        assert first is not None
        return first

    def _run(self, progress: Progress) -> Rendered:
        identity = order_as_json(self._order, self._shots, self._model.version())
        journal, finished = Journal(work_folder(self._order), identity), False
        try:
            self._keep_what_is_whole(journal)
            if not self._order.overwrite:
                self._outputs.refuse_to_overwrite(going_on=bool(journal.parts))
            resumed = len(journal.parts)
            for record in self._rendered(journal.parts, progress):
                journal.add(record)
            self._outputs.finish(journal.parts, self._span(journal.parts))
            finished = True
            return Rendered(tuple(journal.parts), resumed, self._notes(journal))
        finally:
            self._outputs.abandon()
            journal.close(finished)

    def _keep_what_is_whole(self, journal: Journal) -> None:
        """Go on after the last part that every output still has."""
        for count, record in enumerate(journal.parts):
            if not self._outputs.hold(record):
                journal.keep_only(count)
                return

    def _rendered(self, before: Sequence[PartRecord], progress: Progress) -> Iterator[PartRecord]:
        """Render part after part, from where the parts of a run before end."""
        since = before[-1].numbers[1] + 1 if before else self._first
        done = sum(record.frames for record in before)

        def glance(under_way: float) -> None:
            progress(done + under_way, self.expected)

        for part, group in groupby(self._converted(since, glance), key=lambda result: result[0].part):
            figures = PartFigures()
            self._outputs.begin(part)
            for planned, result in group:
                figures.add_window(result)
                with figures.stage("write"):
                    done += self._outputs.write(planned, result, figures)
                glance(0)
            with figures.stage("write"):
                self._outputs.end()
            yield figures.record(self._source.frame_step)
        if not done:
            raise UnreadableError(f"{self._order.source} has no frame from {self._first} on")

    def _converted(self, since: int, glance: Callable[[float], None]) -> Iterator[tuple[ShotWindow, WindowOutput]]:
        windows = shot_windows(self._source, self._shots, since)
        inputs = ((planned, self._input(planned)) for planned in windows)
        if self._is_the_source:
            return ((planned, _unchanged(window)) for planned, window in inputs)
        return self._pool.converted(inputs, glance)

    @property
    def _is_the_source(self) -> bool:
        """Whether nothing is asked for but left eyes without a floating window's bar."""
        kinds = {output.kind for output in self._order.outputs}
        return kinds == {"left"} and all(shot.settings.floating_window == "off" for shot in self._shots)

    def _input(self, planned: ShotWindow) -> WindowInput:
        frames, source, depth = planned.window.frames, self._source, self._source.depth
        depth_images = [frame.depth for frame in frames if frame.depth is not None]
        first, *others = self._order.model_outputs
        return WindowInput(
            frames=as_tensor([frame.frame.image for frame in frames], source.format, source.format.channels),
            depth=None if depth is None else as_tensor(depth_images, depth.format, 1),
            settings=replace(planned.shot.settings, output=first),
            first_frame=planned.window.window.first_frame,
            wanted=planned.window.wanted,
            inpainter=self._order.inpainter,
            depth_estimator=self._order.depth_estimator,
            also=tuple(others),
        )

    def _span(self, parts: Sequence[PartRecord]) -> tuple[int, int] | None:
        whole = self._first == self._source.first_number and self._shots[-1].last is None
        return None if whole and not self._source.footage.starts_anywhere else (parts[0].times[0], parts[-1].times[1])

    def _notes(self, journal: Journal) -> tuple[str, ...]:
        dropped = ["an unfinished render with other settings lay here and was dropped"] if journal.stale else []
        return (*self._source.notes, *dropped, *self._outputs.notes)


def work_folder(order: ClipOrder) -> Path:
    """Where an unfinished render keeps its parts: beside its first output, one folder for each range of frames."""
    path = order.outputs[0].path
    ends = [str(end) for end in (order.first, order.last, order.count) if end is not None]
    return path.with_name(".".join(["", path.name.replace("%", ""), *ends, "unfinished"]))


def _unchanged(window: WindowInput) -> WindowOutput:
    images = window.frames[list(window.wanted)]
    return WindowOutput(images, "", {}, retention=0.0, disoccluded=0.0, parallax=(0.0, 0.0), warnings=())
