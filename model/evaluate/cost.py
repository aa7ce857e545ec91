"""What the fill costs: kept tokens against all tokens, stage by stage, and the peak of memory."""

from __future__ import annotations

import itertools
import multiprocessing
import resource
import time
from dataclasses import dataclass

import torch
from torch import Tensor

from model.evaluate.markdown import table
from model.evaluate.windows import Window
from model.sasi.inpainter import ENCODED, SAMPLED, Inpainter, load_inpainter
from model.train.measures import HoleScore

SPARSE_AND_DENSE = ((1, 0), (3, 0), (5, 0), (1, 1))
"""Dilation and temporal stride; a stride of one frame computes every token."""
_STAGES = (0.0, ENCODED, SAMPLED, 1.0)
"""Where `Inpainter.fill` reports: begin, encoded (lite: candidates ready), network done, pixels back in place."""


@dataclass(frozen=True)
class Cost:
    """CPU seconds of the three stages of one fill, what it kept, and how good it is in disocclusions."""

    encode: float
    network: float
    decode: float
    retention: float
    psnr: float

    @property
    def total(self) -> float:
        """Seconds from end to end."""
        return self.encode + self.network + self.decode


def speed_table(windows: list[Window], inpainter: Inpainter, rounds: int = 2) -> str:
    """Time every window with kept tokens only and with all of them; the least of `rounds` runs counts."""
    rows = []
    for window in windows:
        costs = [_best(window, inpainter, dilation, stride, rounds) for dilation, stride in SPARSE_AND_DENSE]
        dense = costs[-1]
        frames, _, height, width = window.view.shape
        for (dilation, stride), cost in zip(SPARSE_AND_DENSE, costs, strict=True):
            ms = (f"{1000 * part / frames:.0f}" for part in (cost.encode, cost.network, cost.decode, cost.total))
            rows.append(
                (
                    f"{width}x{height}, {frames} frames",
                    "all" if stride else f"k = {dilation}",
                    f"{cost.retention:.1%}",
                    *ms,
                    f"{dense.network / cost.network:.2f}x",
                    f"{dense.total / cost.total:.2f}x",
                    f"{cost.psnr - dense.psnr:+.2f}",
                )
            )
    head = ("window", "tokens", "retention", "encode", "transformer", "decode", "whole fill, CPU ms a frame")
    return table((*head, "transformer, times", "whole fill, times", "dB against all"), rows)


def _best(window: Window, inpainter: Inpainter, dilation: int, stride: int, rounds: int) -> Cost:
    costs = [_measured(window, inpainter, dilation, stride) for _ in range(rounds)]
    return min(costs, key=lambda cost: cost.total)


def _measured(window: Window, inpainter: Inpainter, dilation: int, stride: int) -> Cost:
    at: dict[float, float] = {}

    def note(_: str, fraction: float) -> None:
        at[fraction] = time.process_time()

    given = (window.view, window.hole, window.disparity)
    fill = inpainter.fill(*given, dilation=dilation, temporal_stride=stride, blend=False, progress=note)
    score = HoleScore()
    score.add(fill.view, window.truth, window.hole, window.edge)
    begin, ready, done, end = (at[stage] for stage in _STAGES)
    return Cost(ready - begin, done - ready, end - done, fill.retention, score.psnr)


def memory_table(weights: str, sizes: tuple[tuple[int, int, int], ...]) -> str:
    """Peak memory of one fill in a fresh process for each (frames, height, width), above what stood before it.

    Each is filled as it is when memory is plenty, and in the frugal way.
    """
    rows = []
    context = multiprocessing.get_context("spawn")
    for size, frugal in itertools.product(sizes, (False, True)):
        with context.Pool(1) as pool:
            before, peak, seconds = pool.apply(_peak_of_a_fill, (weights, *size, frugal))
        frames, height, width = size
        window_bytes = frames * height * width * (3 * 4 + 4 + 1)
        name = f"{frames} frames of {width}x{height}" + (", frugal" if frugal else "")
        gib = (f"{value / 2**30:.2f}" for value in (window_bytes, peak - before, peak))
        rows.append((name, *gib, f"{1000 * seconds / frames:.0f}"))
    head = ("window", "its own size, GiB", "peak above it and the program, GiB", "peak in all, GiB", "CPU ms a frame")
    return table(head, rows)


def _peak_of_a_fill(weights: str, frames: int, height: int, width: int, frugal: bool) -> tuple[int, int, float]:
    """Bytes in use before a fill, the most during it, and its CPU seconds."""
    torch.set_num_threads(1)
    inpainter = load_inpainter(weights)
    view, hole, disparity = _plain_window(frames, height, width)
    before, start = _peak_bytes(), time.process_time()
    inpainter.fill(view, hole, disparity, frugal=frugal)
    return before, _peak_bytes(), time.process_time() - start


def _plain_window(frames: int, height: int, width: int) -> tuple[Tensor, Tensor, Tensor]:
    """A window with six poles 20 px nearer than a ramp: their holes are about 9 % of it."""
    view = torch.linspace(0, 1, width).expand(frames, 3, height, width).contiguous()
    hole = torch.zeros(frames, 1, height, width, dtype=torch.bool)
    disparity = torch.zeros(frames, 1, height, width)
    for pole in range(6):
        left = (2 * pole + 1) * width // 13
        disparity[..., left : left + 40] = 20
        hole[..., left + 40 : left + 60] = True
    return view, hole, disparity


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # Linux counts in KiB
