"""Whether a device gains by computing the tokens of several windows together: speed by how many, and equality of bits.

    python -m tests.service.micro_batches

A window's kept tokens already go through the network in micro-batches of TOKENS_AT_ONCE. This measures a block of the
shipped network on fewer and more tokens than that, and compares a window's tokens computed alone with the same tokens
computed beside those of another window, which they never attend to.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable

import torch

from model.sasi.blocks import lay_out, sigma_embedding
from model.sasi.rope import rotations
from model.sasi.transformer import TOKENS_AT_ONCE, SasiTransformer
from model.sasi.weights import load_weights

COUNTS = (64, 256, 1024, 4096, 8192, 16384)
ROW = 64
"""Tokens in a row of the made-up frame."""


def places(count: int, first_row: int = 0) -> torch.Tensor:
    """(count, 3) int64: a solid region of one frame, from `first_row` down."""
    number = torch.arange(count)
    return torch.stack((torch.zeros_like(number), first_row + number // ROW, number % ROW), dim=1)


def first_block(network: SasiTransformer, place: torch.Tensor) -> Callable[[torch.Tensor], torch.Tensor]:
    """The network's first block for tokens at these places: (N, D) to (N, D)."""
    config = network.config
    steer = network.steer(sigma_embedding(torch.tensor(1.0), config.width)).view(6, config.width)
    turns, layout = rotations(place, config.rope), lay_out(place, config.scopes[0])
    return lambda tokens: network.blocks[0](tokens, steer, layout, *turns)


def tokens_per_second(network: SasiTransformer, count: int, seconds: float) -> float:
    """The best of as many runs as fit, three at least."""
    tokens, block = torch.randn(count, network.config.width), first_block(network, places(count))
    best, runs, until = float("inf"), 0, time.perf_counter() + seconds
    while runs < 3 or time.perf_counter() < until:
        start = time.perf_counter()
        block(tokens)
        best, runs = min(best, time.perf_counter() - start), runs + 1
    return count / best


def difference_beside_another(network: SasiTransformer, count: int) -> float:
    """Largest difference of a window's tokens computed alone and beside as many of another window; 0: equal bits."""
    tokens = torch.randn(2 * count, network.config.width)
    both = torch.cat((places(count), places(count, first_row=1 << 10)))
    alone = first_block(network, both[:count])(tokens[:count])
    return float((first_block(network, both)(tokens)[:count] - alone).abs().max())


@torch.inference_mode()
def main() -> int:
    """Print both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=2.0, metavar="S", help="of each run (2)")
    flags = parser.parse_args()
    torch.manual_seed(0)
    network = load_weights("lite").network
    speeds = {count: tokens_per_second(network, count, flags.seconds) for count in COUNTS}
    print(
        f"one block of lite, {torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )
    print("tokens at once   tokens/s   of the best   beside another window")
    for count, speed in speeds.items():
        share, apart = speed / max(speeds.values()), difference_beside_another(network, count)
        equal = "equal bits" if apart == 0 else f"differs by {apart:.1e}"
        mark = "  <- a micro-batch of the service" if count == TOKENS_AT_ONCE else ""
        print(f"{count:14} {speed:10.0f} {share:13.2f}   {equal}{mark}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
