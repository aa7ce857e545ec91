"""⑨ Converted windows by content and settings, for all hosts of a service: a second host pays for no window twice."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from service.caches.entry_file import Entry
from service.caches.guarded_cache import GuardedCache
from service.caches.kept_array import KeptArray
from service.caches.spill import Spill
from service.caches.spilled_cache import EntryKind
from service.stereo_model import WindowInput, WindowOutput

ResultKey = tuple[object, ...]

_TOLD = ("depth_estimator", "retention", "disoccluded", "parallax", "warnings")
"""Fields of WindowOutput that JSON holds; floats come back to the bit."""


@dataclass(frozen=True)
class KeptResult:
    """A result and the hash of its images."""

    output: WindowOutput
    images: KeptArray

    @property
    def is_intact(self) -> bool:
        """Whether the images are still what was kept."""
        return self.images.is_intact


class _ResultEntries(EntryKind[KeptResult]):
    name = "results"

    def to_entry(self, value: KeptResult) -> Entry:
        """Images, and what the summary tells of them."""
        told = {name: getattr(value.output, name) for name in _TOLD}
        return Entry((value.output.images, *value.output.also), told)

    def from_entry(self, entry: Entry) -> tuple[KeptResult, int]:
        """The result, with no stage times: nothing was computed."""
        told = {name: _frozen(entry.meta[name]) for name in _TOLD}
        images, *also = entry.arrays
        output = WindowOutput(images=images, stage_times={}, also=tuple(also), **told)
        return KeptResult(output, KeptArray.of(images)), images.nbytes


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


class ResultCache(GuardedCache[ResultKey, KeptResult]):
    """Results, equal to the bit to what computing them again would give."""

    def __init__(self, max_bytes: int, spill: Spill | None = None) -> None:
        super().__init__(max_bytes, _ResultEntries(), spill)

    def find(self, window: WindowInput, device: str) -> WindowOutput | None:
        """The result of an equal window, with no stage times: nothing was computed."""
        kept = self.get(_key_of(window, device))
        return None if kept is None else replace(kept.output, stage_times={})

    def keep(self, window: WindowInput, device: str, output: WindowOutput) -> None:
        """Remember a result."""
        self.put(_key_of(window, device), KeptResult(output, KeptArray.of(output.images)), output.images.nbytes)


def _key_of(window: WindowInput, device: str) -> ResultKey:
    """All that a result depends on but the model's version, which lasts as long as the process and its cache."""
    return (
        window.frames_digest,
        window.depth_digest,
        window.settings,
        window.first_frame,
        window.wanted,
        window.inpainter,
        window.depth_estimator,
        window.also,
        device,
    )
