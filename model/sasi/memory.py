"""How much memory a fill takes, and how much there is."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

BYTES_PER_PIXEL = 105
"""Peak of a fill above its window, 17 frames of 1280 × 720 with holes of 9 % took 97 (docs/results/fill.md)."""
_USABLE = 0.8
"""Of the memory that is free: others use some too."""


def lacks_memory_for(view: Tensor) -> bool:
    """Tell a window (T, C, H, W) that would not fit as a whole, before it is tried."""
    frames, _, height, width = view.shape
    free = free_bytes(view.device)
    return free is not None and frames * height * width * BYTES_PER_PIXEL > _USABLE * free


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
