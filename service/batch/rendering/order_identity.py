"""What an unfinished render must have in common with an order to be continued by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from service.batch.media.image_files import files_of
from service.batch.rendering.orders import ClipOrder, Shot


def order_as_json(order: ClipOrder, shots: Sequence[Shot], model_version: str) -> dict[str, Any]:
    """Everything that the frames depend on; equal orders give equal frames."""
    return {
        "source": identity_of(order.source),
        "depth": None if order.depth is None else identity_of(order.depth),
        "shots": [asdict(shot) for shot in shots],
        "outputs": [
            {
                "kind": output.kind,
                "path": str(output.path.absolute()),
                "codec": output.codec,
                "options": dict(output.options),
            }
            for output in order.outputs
        ],
        "fps": None if order.fps is None else str(order.fps),
        "inpainter": order.inpainter,
        "depth_estimator": order.depth_estimator,
        "field_of_view_deg": order.field_of_view_deg,
        "model": model_version,
    }


def identity_of(path: Path) -> dict[str, Any]:
    """Where a clip lies, how large it is and when it was last changed: what tells a new version from the old."""
    files = files_of(path)
    facts = [file.stat() for file in files]
    return {
        "path": str(path.absolute()),
        "files": len(files),
        "bytes": sum(fact.st_size for fact in facts),
        "changed_ns": max(fact.st_mtime_ns for fact in facts),
    }
