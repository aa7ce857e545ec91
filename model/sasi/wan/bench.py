"""What sparsity saves, with random weights: `python -m model.sasi.wan.bench`.

On a processor: a network of medium size. With --gpu, which has never been run: Wan 2.1 1.3B in bfloat16 on 81 frames of
768 × 1280. Random weights take the time of trained ones and fill nothing sensible.
"""

from __future__ import annotations

import argparse
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from model.sasi.tokens import TokenIndex, keep_index
from model.sasi.wan.config import CONDITION_CHANNELS, LATENT_CHANNELS, PATCH, WanConfig
from model.sasi.wan.inpainter import TOKEN_PX
from model.sasi.wan.transformer import Prompt, WanTransformer

KERNELS = (1, 3, 5)
MIDDLE = WanConfig(layers=4, heads=4, head_width=64, mlp_width=1024, text_width=256, time_width=64)


@dataclass(frozen=True)
class Case:
    """What is timed: a network, and a window of latents on a device."""

    config: WanConfig
    frames: int  # of the clip, 4k + 1
    height_px: int
    width_px: int
    device: str
    dtype: torch.dtype

    @property
    def grid(self) -> tuple[int, int, int]:
        """Tokens along (t, y, x)."""
        return (1 + (self.frames - 1) // 4, self.height_px // TOKEN_PX, self.width_px // TOKEN_PX)


CPU = Case(MIDDLE, 17, 432, 768, "cpu", torch.float32)
GPU = Case(WanConfig(), 81, 768, 1280, "cuda", torch.bfloat16)


@dataclass(frozen=True)
class Timing:
    """Least seconds of one network call, and the share of tokens that it computed."""

    name: str
    retention: float
    seconds: float


def main() -> int:
    """Print a Markdown table; 0 = done, 2 = no GPU where one was asked for."""
    parser = argparse.ArgumentParser(prog="python -m model.sasi.wan.bench", description=__doc__)
    parser.add_argument("--gpu", action="store_true", help="1.3B, bfloat16, 81 frames of 768x1280, on CUDA")
    parser.add_argument("--compile", action="store_true", help="compile the blocks first; takes minutes")
    parser.add_argument("--rounds", type=int, default=3, help="the least time of so many calls counts (3)")
    flags = parser.parse_args()
    if flags.gpu and not torch.cuda.is_available():
        print("--gpu needs a CUDA device and a torch built for it; there is none", file=sys.stderr)
        return 2
    case = GPU if flags.gpu else CPU
    where = torch.cuda.get_device_name() if flags.gpu else f"{platform.machine()}, {torch.get_num_threads()} thread(s)"
    print(f"{case.config.layers} layers of {case.config.width}, {case.frames} frames of "
          f"{case.width_px}x{case.height_px}, {case.dtype}, {where}\n")  # fmt: skip
    print(table(measure(case, flags.rounds, flags.compile), case.frames))
    return 0


def measure(case: Case, rounds: int, compiled: bool = False) -> list[Timing]:
    """Time all tokens and those of each dilation, the holes being those of `edges`."""
    network = random_network(case)
    if compiled:
        for block in network.blocks:
            block.compile(dynamic=True)  # one kernel for any number of tokens
    marked = edges(case.grid).to(case.device)
    number = torch.arange(case.grid[0], device=case.device)
    every = keep_index(torch.ones_like(marked), number)
    chosen = [("all", every), *((f"k = {k}", keep_index(marked, number, k)) for k in KERNELS)]
    return [_timed(network, case, name, kept, rounds) for name, kept in chosen]


@torch.inference_mode()
def _timed(network: WanTransformer, case: Case, name: str, kept: TokenIndex, rounds: int) -> Timing:
    per_token = PATCH**2
    noisy = torch.randn(1, len(kept), LATENT_CHANNELS * per_token, device=case.device)
    known = torch.randn(1, len(kept), CONDITION_CHANNELS * per_token, device=case.device)
    text = torch.randn(1, 2, case.config.text_width, device=case.device)
    prompt = Prompt(text, torch.tensor([1.0, 511.0], device=case.device))
    seconds = least_seconds(lambda: network.velocity(noisy, 1.0, prompt, known, kept), rounds, case.device)
    return Timing(name, len(kept) / (case.grid[0] * case.grid[1] * case.grid[2]), seconds)


def least_seconds(call: Callable[[], object], rounds: int, device: str) -> float:
    """Least time of some calls after one to warm up: of the clock on a GPU, of the process on a processor."""
    cuda = device.startswith("cuda")
    clock = time.perf_counter if cuda else time.process_time
    times = []
    for _ in range(rounds + 1):
        start = clock()
        call()
        if cuda:
            torch.cuda.synchronize()
        times.append(clock() - start)
    return min(times[1:])


def random_network(case: Case) -> WanTransformer:
    """A network with random weights on the case's device, made there."""
    torch.manual_seed(0)
    with torch.device(case.device):
        return WanTransformer(case.config).in_precision(case.dtype).eval().requires_grad_(False)


def edges(grid: tuple[int, int, int]) -> Tensor:
    """Tokens that holes touch: a strip beside each of three things that move, and one at the frame's edge.

    About a seventh of the frame, as with k = 1 in the paper's table 4. (t, h, w) bool
    """
    t, h, w = grid
    marked = torch.zeros(grid, dtype=torch.bool)
    for frame in range(t):
        for thing, (top, bottom) in enumerate(((1, 8), (3, 10), (5, 9))):
            left = w * (1 + 3 * thing) // 10 + frame * (thing + 1) % max(1, w // 10)
            marked[frame, h * top // 10 : h * bottom // 10, left : left + max(1, w // 16)] = True
        marked[frame, :, w - max(1, w // 40) :] = True
    return marked


def table(timings: list[Timing], frames: int) -> str:
    """Markdown: tokens, retention, time a frame, and how many times faster than all tokens."""
    lines = ["| tokens | retention | ms a frame | times faster |", "|---|--:|--:|--:|"]
    for timing in timings:
        ms = 1000 * timing.seconds / frames
        lines.append(
            f"| {timing.name} | {timing.retention:.1%} | {ms:.2f} | {timings[0].seconds / timing.seconds:.2f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
