"""Remembers which clips of a job file are done, until all are: the same command then goes on with the others."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from service.batch.durable import put_in_place
from service.batch.jobs.figures import ClipFigures
from service.batch.rendering.order_identity import identity_of
from service.batch.rendering.orders import ClipOrder


class JobJournal:
    """A file beside the job file.

    path  None: nothing is remembered, as for a clip that is ordered by flags
    """

    def __init__(self, path: Path | None, model_version: str) -> None:
        self._path, self._model_version = path, model_version
        self._done = _read(path)

    def figures_of(self, order: ClipOrder) -> ClipFigures | None:
        """Of a clip that was done before and has not been touched since; None: it is to be rendered."""
        facts = self._facts(order)
        values = next((entry["figures"] for entry in self._done if facts is not None and entry["facts"] == facts), None)
        if values is None:
            return None
        tuples = {name: tuple(values[name]) for name in ("parallax", "sentences", "notes")}
        return ClipFigures(**{**values, **tuples})

    def add(self, order: ClipOrder, figures: ClipFigures) -> None:
        """Note that a clip is done. Where that cannot be written, the user is told; the clip is done all the same."""
        if self._path is None or (facts := self._facts(order)) is None:
            return
        self._done = [*(entry for entry in self._done if entry["facts"]["order"] != facts["order"]),
                      {"facts": facts, "figures": asdict(figures)}]  # fmt: skip
        partial = self._path.with_name(f"{self._path.name}.partial-{os.getpid()}")
        try:
            partial.write_text(json.dumps(self._done))
            put_in_place(partial, self._path)
        except OSError as error:
            print(f"note: a later run will not know that this clip is done: {error}", file=sys.stderr)

    def close(self, all_done: bool) -> None:
        """Forget everything when there is nothing left to go on with."""
        if all_done and self._path is not None:
            self._path.unlink(missing_ok=True)

    def _facts(self, order: ClipOrder) -> dict[str, Any] | None:
        """What the outputs were made of, and what they are; None when one is missing."""
        paths = (order.source, *([order.depth] if order.depth else []), *(output.path for output in order.outputs))
        try:
            files = [identity_of(path) for path in paths]
        except (OSError, ValueError):
            return None
        return {"order": repr(replace(order, overwrite=False)), "model": self._model_version, "files": files}


def _read(path: Path | None) -> list[dict[str, Any]]:
    if path is None or not path.exists():
        return []
    try:
        entries = json.loads(path.read_text())
    except (OSError, ValueError):
        return []  # written by no run of ours: the clips are rendered, or their outputs found in the way
    return [entry for entry in entries if _is_ours(entry)] if isinstance(entries, list) else []


def _is_ours(entry: Any) -> bool:
    return (
        isinstance(entry, dict)
        and entry.keys() == {"facts", "figures"}
        and isinstance(entry["facts"], dict)
        and entry["facts"].keys() == {"order", "model", "files"}
    )
