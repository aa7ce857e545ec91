"""All outputs of one clip: what the model must lay out for them, and where each result goes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from model.errors import StereoError
from service.batch.errors import OutputExistsError, write_error
from service.batch.outputs.contact_sheet import save_strip
from service.batch.outputs.half_sphere import grown_to_half_sphere, half_sphere_pair
from service.batch.outputs.picture_writer import Delivery, FrameLabel, OutputFile, PictureWriter, TimeSpan, open_writer
from service.batch.rendering.journal import PartRecord
from service.batch.rendering.orders import ClipOrder
from service.batch.rendering.part_figures import PartFigures
from service.batch.rendering.shot_windows import ShotWindow
from service.batch.sources.source_frames import SourceFrame, SourceFrames, as_tensor
from service.stereo_model import WindowOutput
from service.wire.frame_wire import FrameFormat, encode_frame
from service.wire.window_plan import grown_format


class OutputSet:
    """A writer for each output of an order.

    span    numbers of the first and the last frame that are rendered; None: the clip's own last
    work    a folder for unfinished parts
    strips  a folder for small pictures of each part; None: none are kept

    Raises StereoError when an output cannot be as it is ordered.
    """

    def __init__(
        self,
        order: ClipOrder,
        source: SourceFrames,
        span: tuple[int, int | None],
        work: Path,
        strips: Path | None = None,
    ) -> None:
        self._order, self._source, self._work, self._strips = order, source, work, strips
        self._writers = [
            open_writer(output, self._delivery(output.kind, *span), work / str(index))
            for index, output in enumerate(order.outputs)
        ]

    @property
    def notes(self) -> list[str]:
        """What each output became, and what it could not keep."""
        return [note for writer in self._writers for note in writer.notes]

    def begin(self, part: str) -> None:
        """Start a part of every output. Raises WriteError."""
        for writer in self._writers:
            writer.begin(part)

    def write(self, planned: ShotWindow, result: WindowOutput, figures: PartFigures) -> int:
        """Write the kept frames of a window; return how many there were. Raises WriteError."""
        window = planned.window
        for position, index in enumerate(window.wanted):
            frame = window.frames[index]
            label = FrameLabel(window.numbers[index], self._source.time_of(frame), frame.frame.header)
            images = self._images(result, position)
            for writer, image in zip(self._writers, images, strict=True):
                figures.clamped += _write_one(writer, image, label)
            figures.add_frame(label.number, label.time)
            if planned.begins_part and not position:
                self._save_strip(planned.part, frame, images)
        return len(window.wanted)

    def end(self) -> None:
        """Make the part durable in every output. Raises WriteError."""
        for writer in self._writers:
            writer.end()

    def abandon(self) -> None:
        """Let go of parts that are not finished."""
        for writer in self._writers:
            writer.abandon()

    def hold(self, record: PartRecord) -> bool:
        """Whether a part is still whole in every output."""
        numbers = range(record.numbers[0], record.numbers[1] + 1)
        return all(writer.holds(record.name, numbers) for writer in self._writers)

    def finish(self, parts: Sequence[PartRecord], span: TimeSpan | None) -> None:
        """Give every output its name; `span` is as for PictureWriter.finish. Raises WriteError."""
        for index, writer in enumerate(self._writers):
            with self._naming(index):
                writer.finish([record.name for record in parts], span)

    def refuse_to_overwrite(self, going_on: bool) -> None:
        """Raise OutputExistsError when something lies where an output goes.

        going_on  what is there may be of this render: images, and videos that got their names before it ended
        """
        for index, writer in enumerate(self._writers):
            ours = going_on and (writer.in_place or self._named(index).exists())
            if not ours and (path := writer.existing()) is not None:
                raise OutputExistsError(f"{path} exists already; name another output, or allow it with --overwrite")

    @contextmanager
    def _naming(self, index: int) -> Iterator[None]:
        """Note that from here on, even after kill -9, what lies where an output goes is ours; unless this fails."""
        mark = self._named(index)
        try:
            mark.touch()
        except OSError as error:
            raise write_error(mark, error) from None
        try:
            yield
        except StereoError:
            mark.unlink(missing_ok=True)
            raise

    def _named(self, index: int) -> Path:
        return self._work / f"{index}.named"

    def _delivery(self, kind: str, first: int, last: int | None) -> Delivery:
        source = self._source
        info = replace(source.info, fps=source.fps)
        if info.timecode is not None:
            info = replace(info, timecode=info.timecode.plus(first - source.first_number, source.fps))
        return Delivery(source.sound_source, info, self._format(kind), source.time_base, first, last)

    def _format(self, kind: str) -> FrameFormat:
        if kind == "vr180":
            return grown_to_half_sphere(self._source.format, self._order.field_of_view_deg)
        return grown_format(self._source.format, kind)

    def _images(self, result: WindowOutput, position: int) -> list[np.ndarray]:
        laid_out = zip(self._order.outputs, (result.images, *result.also), strict=True)
        return [self._shown(output, images[position]) for output, images in laid_out]

    def _shown(self, output: OutputFile, image: np.ndarray) -> np.ndarray:
        return half_sphere_pair(image, self._order.field_of_view_deg) if output.kind == "vr180" else image

    def _save_strip(self, part: str, frame: SourceFrame, images: Sequence[np.ndarray]) -> None:
        if self._strips is None:
            return
        source = as_tensor([frame.frame.image], self._source.format, self._source.format.channels)[0]
        kinds = [output.kind for output in self._order.outputs]
        pictures = [(f"source {frame.number}", source), *zip(kinds, images, strict=True)]
        save_strip(self._strips / f"{part}.png", pictures)


def _write_one(writer: PictureWriter, image: np.ndarray, label: FrameLabel) -> int:
    """Encode one picture into the writer's pixels; return how many values were clamped."""
    form = writer.format
    buffer = np.empty((form.height, form.width, form.channels), form.dtype)
    chosen = image[: form.channels]
    if len(chosen) < form.channels:  # a codec with alpha for a picture without
        chosen = np.concatenate((chosen, np.ones_like(image[:1])))
    clamped = encode_frame(chosen, form, buffer.data.cast("B"))
    return clamped + writer.write(buffer, label)
