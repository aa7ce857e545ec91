"""Filling a long window in parts where memory is short: each part sees as many frames around it as can change it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from model.sasi.alignment import OFFSETS
from model.sasi.config import SasiConfig

BYTES_PER_PIXEL = 170
"""Peak of a fill above its window, measured on 81 frames of 1280 × 720 with holes of 9 % (docs/results/fill.md)."""
_USABLE = 0.8
"""Of the memory that is free: others use some too."""


@dataclass(frozen=True)
class Part:
    """Frames start..end to fill, and frames first..last to compute them from; ends excluded."""

    start: int
    end: int
    first: int
    last: int

    @property
    def core(self) -> slice:
        """The frames to fill, counted from `first`."""
        return slice(self.start - self.first, self.end - self.first)


def frames_around(config: SasiConfig) -> int:
    """How many frames to each side a fill looks: through cells of attention one after the other, and other frames."""
    return max(OFFSETS) + sum(scope.extent[0] - 1 for scope in config.scopes)


def plan_parts(frames: int, frame_bytes: int, free_bytes: int | None, around: int) -> list[Part]:
    """Divide a window so that each part fits into free memory; one part if all of it does, or if nobody knows.

    No part is shorter than what it sees to each side: shorter ones would compute every frame more than three times,
    and of a window that is no longer than that they would see, and hold, nearly all. So such a window stays whole, and
    what does not fit even then fails for want of memory.
    """
    fitting = frames if free_bytes is None else int(_USABLE * free_bytes) // frame_bytes
    length = max(fitting - 2 * around, around)
    if fitting >= frames or length + 2 * around >= frames:
        length = frames
    starts = range(0, frames, length)
    return [
        Part(start, min(start + length, frames), max(0, start - around), min(start + length + around, frames))
        for start in starts
    ]


def free_bytes(device: torch.device) -> int | None:
    """Memory that a fill can still get on a device; None where the system does not tell."""
    if device.type == "cuda":
        for_next_tensors = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return torch.cuda.mem_get_info(device)[0] + for_next_tensors
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), None)
