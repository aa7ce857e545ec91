"""How fast warps are here: milliseconds on the wall, and multiples of copying the picture."""

from __future__ import annotations

import time
from collections.abc import Callable

import cv2
import numpy as np
import torch
from torch import Tensor

from model.warp.bench_quality import WarpForm
from model.warp.kernels import kernel_name

SECONDS = 0.5
LEAST_RUNS = 3


def speed_table(
    timed: dict[str, tuple[Tensor, Tensor]], warps: dict[str, WarpForm], sizes: tuple[tuple[int, int], ...]
) -> str:
    """Time every warp on every picture at every size, beside copying the picture by one and by all threads.

    timed   name to image (1, 3, h, w) float32 and disparity (1, 1, h, w) px, both scaled to each size
    returns Markdown; of a busy machine the best run is the least disturbed, and the load belongs beside the table
    """
    threads = torch.get_num_threads()
    lines = [
        f"ms on the wall per RGB float frame, {threads} threads, kernel `{kernel_name('cpu')}`, best of the runs of "
        f"{SECONDS} s and of at least {LEAST_RUNS}. memcpy copies the picture by 1 and by {threads} threads; GAPW "
        "stands first as multiples of both.",
        "",
        "| size | scene | memcpy | GAPW / memcpy | " + " | ".join(warps) + " |",
        "|---" * (4 + len(warps)) + "|",
    ]
    for width, height in sizes:
        for name, (image, disparity) in timed.items():
            frame = scaled(image, disparity, width, height)
            copies = copying_ms(frame[0])
            times = {warp_name: best_ms(lambda w=warp, f=frame: w(*f)) for warp_name, warp in warps.items()}
            cells = [f"{width}x{height}", name, " / ".join(f"{copy:.2f}" for copy in copies)]
            cells.append(" / ".join(f"{times['GAPW'] / copy:.1f}" for copy in copies))
            cells += [f"{milliseconds:.1f}" for milliseconds in times.values()]
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def copying_ms(image: Tensor) -> tuple[float, float]:
    """Milliseconds of copying an image into memory that is there: by one thread, and by all that torch uses."""
    target = torch.empty_like(image)
    return best_ms(lambda: np.copyto(target.numpy(), image.numpy())), best_ms(lambda: target.copy_(image))


def best_ms(call: Callable[[], object], seconds: float = SECONDS) -> float:
    """Fewest milliseconds on the wall that a call took, of the runs of `seconds` and of at least LEAST_RUNS."""
    times: list[float] = []
    while len(times) < LEAST_RUNS or sum(times) < seconds:
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return 1000 * min(times)


def scaled(image: Tensor, disparity: Tensor, width: int, height: int) -> tuple[Tensor, Tensor]:
    """Scale an image (1, 3, h, w) and its disparity (1, 1, h, w) px, whose edges stay hard, to another size."""
    picture = cv2.resize(image[0].permute(1, 2, 0).numpy(), (width, height)).transpose(2, 0, 1)
    shift = cv2.resize(disparity[0, 0].numpy(), (width, height), interpolation=cv2.INTER_NEAREST)
    factor = width / disparity.shape[-1]
    return torch.from_numpy(picture.copy())[None], torch.from_numpy(shift * factor)[None, None]
