"""⑨ Converted windows by content and settings, for all hosts of a service: a second host pays for no window twice."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

from service.caches.bounded_cache import BoundedCache
from service.caches.kept_array import KeptArray
from service.stereo_model import WindowInput, WindowOutput

log = logging.getLogger(__name__)

ResultKey = tuple[object, ...]


@dataclass(frozen=True)
class KeptResult:
    """A result and the hash of its images."""

    output: WindowOutput
    images: KeptArray


class ResultCache(BoundedCache[ResultKey, KeptResult]):
    """Results, equal to the bit to what computing them again would give."""

    def find(self, window: WindowInput, device: str) -> WindowOutput | None:
        """The result of an equal window, with no stage times: nothing was computed."""
        key = _key_of(window, device)
        kept = self.get(key)
        if kept is None:
            return None
        if not kept.images.is_intact:
            log.warning("a kept result is damaged; the window is computed again")
            self.drop(key)
            return None
        return replace(kept.output, stage_times={})

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
