"""Renders one clip: windows on all devices, every output from one pass, part by part, so that it can go on later."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import numpy as np

from model.window import context_of
from service.batch.clip_windows import ClipWindow, first_needed, windows_of
from service.batch.contact_sheet import save_strip
from service.batch.errors import OutputExistsError, UnreadableError
from service.batch.ffmpeg_complaints import ffmpeg_complaints
from service.batch.half_sphere import grown_to_half_sphere, half_sphere_pair
from service.batch.journal import Journal, PartRecord, part_name
from service.batch.order_identity import order_as_json
from service.batch.orders import ClipOrder, Shot
from service.batch.part_figures import PartFigures
from service.batch.picture_writer import Delivery, FrameLabel, OutputFile, PictureWriter, open_writer
from service.batch.source_frames import SourceFrame, SourceFrames, as_tensor, up_to
from service.batch.window_pool import WindowPool
from service.frame_wire import FrameFormat, encode_frame
from service.stereo_model import StereoModel, WindowInput, WindowOutput
from service.window_plan import grown_format

PART_FRAMES = 48
"""Frames of a part, at least: what a crash may cost. A part holds whole windows of one shot."""

Progress = Callable[[float, int | None], None]
"""Called with (frames done, frames in all if known)."""


@dataclass(frozen=True)
class PlannedWindow:
    """A window, the part its kept frames go to, and the first one of its frames as the thumbnails' left picture."""

    part: str
    shot: Shot
    window: ClipWindow[SourceFrame]


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
        self._order, self._model, self._pool, self._strips = order, model, pool, strips
        self._source = SourceFrames(order.source, order.depth, order.fps)
        shots = order.shots_from(self._source.first_number)
        if self._source.footage.frame_count == 1:  # a still needs no copies of itself as neighbours
            shots = [replace(shot, settings=replace(shot.settings, window=1)) for shot in shots]
        if shots[-1].last is None:
            self._source.refuse_if_cut_short()
        self._shots = shots
        self._work = work_folder(order)
        self._writers = [
            open_writer(output, self._delivery(output), self._work / str(index))
            for index, output in enumerate(order.outputs)
        ]

    def run(self, progress: Progress) -> Rendered:
        """Render what is not done yet, then give the outputs their names.

        Raises StereoError of any kind; what is done stays, and the next run goes on there.
        """
        with ffmpeg_complaints() as complaints:
            rendered = self._run(progress)
        return replace(rendered, notes=(*rendered.notes, *complaints))

    def _run(self, progress: Progress) -> Rendered:
        identity = order_as_json(self._order, self._shots, self._model.version())
        journal = Journal(self._work, identity)
        finished = False
        try:
            self._keep_what_is_whole(journal)
            self._refuse_to_overwrite(journal)
            resumed = len(journal.parts)
            notes = ["an unfinished render with other settings lay here and was dropped"] if journal.stale else []
            for record in self._rendered(journal, progress):
                journal.add(record)
            self._finish(journal.parts)
            finished = True
            notes += [note for writer in self._writers for note in writer.notes]
            return Rendered(tuple(journal.parts), resumed, tuple(notes))
        finally:
            for writer in self._writers:
                writer.abandon()
            journal.close(finished)

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

    def _delivery(self, output: OutputFile) -> Delivery:
        info, source = self._source.info, self._source
        if info.timecode is not None:
            info = replace(info, timecode=info.timecode.plus(self._first - source.first_number, source.fps))
        return Delivery(
            source=source.sound_source,
            info=replace(info, fps=source.fps),
            format=self._result_format(output.kind),
            time_base=source.time_base,
            first_number=self._first,
        )

    def _result_format(self, kind: str) -> FrameFormat:
        if kind == "vr180":
            return grown_to_half_sphere(self._source.format, self._order.field_of_view_deg)
        return grown_format(self._source.format, kind)

    def _keep_what_is_whole(self, journal: Journal) -> None:
        """Go on after the last part that every output still has."""
        for count, record in enumerate(journal.parts):
            numbers = range(record.numbers[0], record.numbers[1] + 1)
            if not all(writer.holds(record.name, numbers) for writer in self._writers):
                journal.keep_only(count)
                return

    def _refuse_to_overwrite(self, journal: Journal) -> None:
        for writer in self._writers:
            ours = writer.in_place and journal.parts
            if not self._order.overwrite and not ours and (path := writer.existing()) is not None:
                raise OutputExistsError(f"{path} exists already; name another output, or allow it with --overwrite")

    def _rendered(self, journal: Journal, progress: Progress) -> Iterator[PartRecord]:
        """Render part after part."""
        since = journal.parts[-1].numbers[1] + 1 if journal.parts else self._first
        done = sum(record.frames for record in journal.parts)
        written = 0

        def glance(under_way: float) -> None:
            progress(done + written + under_way, self.expected)

        results = self._converted(self._planned(since), glance)
        for part, group in groupby(results, key=lambda result: result[0].part):
            figures = PartFigures()
            for writer in self._writers:
                writer.begin(part)
            for planned, output in group:
                written += self._write(planned, output, figures)
                glance(0)
            with figures.stage("write"):
                for writer in self._writers:
                    writer.end()
            yield figures.record(self._source.frame_step)
        if not done and not written:
            raise UnreadableError(f"{self._order.source} has no frame from {self._first} on")

    def _planned(self, since: int) -> Iterator[PlannedWindow]:
        """The windows of all shots, from the one that keeps frame `since`."""
        shots = [shot for shot in self._shots if shot.last is None or shot.last >= since]
        frames: Iterator[SourceFrame] | None = None
        for shot in shots:
            assert shot.first is not None
            length, start = shot.settings.window, max(since, shot.first)
            if frames is None:
                frames = self._source.read(first_needed(shot.first, length, start))
            for window in windows_of(up_to(frames, shot.last, self._order.source), shot.first, length, start):
                yield PlannedWindow(_part_of(window, shot), shot, window)

    def _converted(
        self, windows: Iterable[PlannedWindow], glance: Callable[[float], None]
    ) -> Iterator[tuple[PlannedWindow, WindowOutput]]:
        inputs = ((planned, self._input(planned)) for planned in windows)
        if self._is_the_source:
            return ((planned, _unchanged(window)) for planned, window in inputs)
        return self._pool.converted(inputs, glance)

    @property
    def _is_the_source(self) -> bool:
        """Whether nothing is asked for but left eyes without a floating window's bar."""
        kinds = {output.kind for output in self._order.outputs}
        return kinds == {"left"} and all(shot.settings.floating_window == "off" for shot in self._shots)

    def _input(self, planned: PlannedWindow) -> WindowInput:
        frames = planned.window.frames
        depth = self._source.depth
        images = [frame.depth for frame in frames if frame.depth is not None]
        first, *others = self._order.model_outputs
        return WindowInput(
            frames=as_tensor(
                [frame.frame.image for frame in frames], self._source.format, self._source.format.channels
            ),
            depth=None if depth is None else as_tensor(images, depth.format, 1),
            settings=replace(planned.shot.settings, output=first),
            first_frame=planned.window.window.first_frame,
            wanted=planned.window.wanted,
            inpainter=self._order.inpainter,
            depth_estimator=self._order.depth_estimator,
            also=tuple(others),
        )

    def _write(self, planned: PlannedWindow, output: WindowOutput, figures: PartFigures) -> int:
        """Write the kept frames of a window to every output; return how many there were."""
        figures.add_window(output)
        window = planned.window
        with figures.stage("write"):
            for position, index in enumerate(window.wanted):
                frame = window.frames[index]
                label = FrameLabel(window.numbers[index], self._source.time_of(frame), frame.frame.header)
                images = [self._shown(position, *pair) for pair in self._pairs(output)]
                for writer, image in zip(self._writers, images, strict=True):
                    figures.clamped += _write_one(writer, image, label)
                figures.add_frame(label.number, label.time)
                if self._strips is not None and window.numbers[window.wanted[0]] == int(planned.part) and not position:
                    self._save_strip(planned.part, frame, images)
        return len(window.wanted)

    def _pairs(self, output: WindowOutput) -> list[tuple[OutputFile, np.ndarray]]:
        return list(zip(self._order.outputs, (output.images, *output.also), strict=True))

    def _shown(self, position: int, output: OutputFile, images: np.ndarray) -> np.ndarray:
        image = images[position]
        return half_sphere_pair(image, self._order.field_of_view_deg) if output.kind == "vr180" else image

    def _save_strip(self, part: str, frame: SourceFrame, images: Sequence[np.ndarray]) -> None:
        assert self._strips is not None
        source = as_tensor([frame.frame.image], self._source.format, self._source.format.channels)[0]
        captions = [output.kind for output in self._order.outputs]
        pictures = [(f"source {frame.number}", source), *zip(captions, images, strict=True)]
        save_strip(self._strips / f"{part}.png", pictures)

    def _finish(self, parts: Sequence[PartRecord]) -> None:
        whole = self._first == self._source.first_number and self._shots[-1].last is None
        span = None if whole else (parts[0].times[0], parts[-1].times[1])
        for writer in self._writers:
            writer.finish([record.name for record in parts], span)


def work_folder(order: ClipOrder) -> Path:
    """Where an unfinished render keeps its parts: beside its first output."""
    path = order.outputs[0].path
    return path.with_name(f".{path.name.replace('%', '')}.unfinished")


def _part_of(window: ClipWindow[SourceFrame], shot: Shot) -> str:
    """The name of the part a window belongs to: a function of its place alone, as in the run before."""
    kept = window.window.length - 2 * context_of(window.window.length)
    part_frames = -(-PART_FRAMES // kept) * kept
    first_kept = window.window.first_frame + window.window.kept.start
    assert shot.first is not None
    return part_name(max(shot.first, first_kept // part_frames * part_frames))


def _unchanged(window: WindowInput) -> WindowOutput:
    images = window.frames[list(window.wanted)]
    return WindowOutput(images, "", {}, retention=0.0, disoccluded=0.0, parallax=(0.0, 0.0), warnings=())


def _write_one(writer: PictureWriter, image: np.ndarray, label: FrameLabel) -> int:
    """Encode one picture into the writer's pixels; return how many values were clamped."""
    form = writer.format
    buffer = np.empty((form.height, form.width, form.channels), form.dtype)
    chosen = image[: form.channels]
    if len(chosen) < form.channels:  # a codec with alpha for a picture without
        chosen = np.concatenate((chosen, np.ones_like(image[:1])))
    clamped = encode_frame(chosen, form, buffer.data.cast("B"))
    return clamped + writer.write(buffer, label)
