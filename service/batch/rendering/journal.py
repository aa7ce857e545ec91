"""Remembers which parts of a clip are done, so that a render that was killed goes on where it stopped.

A part is done when its record bears its name; the record is written after every output of the part is on the disk.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path

from service.batch.durable import put_in_place
from service.batch.errors import BusyError, write_error

VERSION = 1
"""Of the records; another one is not read."""


@dataclass(frozen=True)
class PartRecord:
    """What was rendered in one part, and at what cost.

    numbers      first and last frame
    times        when the first frame is shown and the last one ends, in the clip's time_base
    seconds      of wall time by stage
    warnings     of the model -> in how many windows
    retention    share of tokens computed, 0..1, summed over windows
    disoccluded  share of pixels that the left eye did not see, 0..1, summed over windows
    parallax     % of width, (most negative, nearest)
    clamped      values that did not fit the outputs' pixels
    elapsed_s    of wall time, of stages that run beside each other once
    """

    numbers: tuple[int, int]
    times: tuple[int, int]
    seconds: dict[str, float]
    warnings: dict[str, int]
    windows: int
    retention: float
    disoccluded: float
    parallax: tuple[float, float]
    clamped: int
    elapsed_s: float

    @property
    def name(self) -> str:
        """Of the part, for files."""
        return part_name(self.numbers[0])

    @property
    def frames(self) -> int:
        """How many there are."""
        return self.numbers[1] - self.numbers[0] + 1


def part_name(first_number: int) -> str:
    """The name of the part that begins at a frame; sorts by number."""
    return f"{first_number:09}"


@dataclass
class Journal:
    """A folder beside the output. Only one render at a time may hold it.

    order    what is rendered, as JSON: parts of another order are not ours
    parts    those that are done, in order
    stale    whether parts of another order lay here and were dropped
    """

    folder: Path
    order: dict
    parts: list[PartRecord] = field(default_factory=list)
    stale: bool = False

    def __post_init__(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT)
        except OSError as error:
            raise write_error(self.folder, error) from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise BusyError(f"another render is at work in {self.folder}; wait for it, or stop it") from None
        self.order = json.loads(json.dumps({"version": VERSION, **self.order}))
        if self._read(self.folder / "order.json") == self.order:
            self._load()
        else:
            self.stale = (self.folder / "order.json").exists()
            self._clear()
            self._write("order.json", self.order)

    def add(self, record: PartRecord) -> None:
        """Note that a part is done. Raises WriteError."""
        self._write(f"part-{record.name}.json", asdict(record))
        self.parts.append(record)

    def keep_only(self, count: int) -> None:
        """Forget all but the first parts: what follows is to be rendered again."""
        for record in self.parts[count:]:
            (self.folder / f"part-{record.name}.json").unlink(missing_ok=True)
        del self.parts[count:]

    def close(self, done: bool) -> None:
        """Let go of the folder, and remove it when the output is finished or nothing was ever rendered."""
        if done or not self.parts:
            shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self._lock)

    def _load(self) -> None:
        """Parts in order, up to the first that cannot be read."""
        for path in sorted(self.folder.glob("part-*.json")):
            values = self._read(path)
            if values is None:
                return
            pairs = {name: tuple(values[name]) for name in ("numbers", "times", "parallax")}
            self.parts.append(PartRecord(**{**values, **pairs}))

    def _clear(self) -> None:
        for entry in self.folder.iterdir():
            if entry.name == "lock":
                continue
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()

    def _read(self, path: Path) -> dict | None:
        try:
            return json.loads(path.read_text())
        except (OSError, ValueError):
            return None

    def _write(self, name: str, values: dict) -> None:
        """Write beside its place, wait for the disk, rename."""
        partial = self.folder / f".{name}.partial"
        try:
            partial.write_text(json.dumps(values, indent=1, sort_keys=True))
            put_in_place(partial, self.folder / name)
        except OSError as error:
            raise write_error(self.folder / name, error) from None
