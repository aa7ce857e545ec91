"""Adds up the parts of a clip into the figures that are printed and reported."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from service.batch.rendering.clip_render import Rendered


@dataclass(frozen=True)
class ClipFigures:
    """Of one clip that is done.

    frames_per_s  of the frames rendered in this run
    seconds       by stage, all runs together; stages run beside each other
    retention     share of tokens computed, 0..1, mean over windows
    disoccluded   share of pixels that the left eye did not see, 0..1, mean over windows
    parallax      % of width, (most negative, nearest)
    """

    frames: int
    resumed_frames: int
    elapsed_s: float
    frames_per_s: float
    seconds: dict[str, float]
    retention: float
    disoccluded: float
    parallax: tuple[float, float]
    sentences: tuple[str, ...]
    notes: tuple[str, ...]


def figures_of(rendered: Rendered, elapsed_s: float) -> ClipFigures:
    """Sum up a clip that took `elapsed_s` in this run."""
    parts = rendered.parts
    frames = sum(part.frames for part in parts)
    resumed = sum(part.frames for part in parts[: rendered.resumed])
    windows = max(1, sum(part.windows for part in parts))
    seconds: Counter[str] = Counter()
    warnings: Counter[str] = Counter()
    for part in parts:
        seconds.update(part.seconds)
        warnings.update(part.warnings)
    sentences = [f"{text} (in {count} windows)" for text, count in warnings.items()]
    if clamped := sum(part.clamped for part in parts):
        sentences.append(f"{clamped} values did not fit the outputs' pixels and were clamped")
    return ClipFigures(
        frames=frames,
        resumed_frames=resumed,
        elapsed_s=elapsed_s,
        frames_per_s=(frames - resumed) / elapsed_s,
        seconds=dict(seconds),
        retention=sum(part.retention for part in parts) / windows,
        disoccluded=sum(part.disoccluded for part in parts) / windows,
        parallax=(min(part.parallax[0] for part in parts), max(part.parallax[1] for part in parts)),
        sentences=tuple(sentences),
        notes=rendered.notes,
    )
