"""Train a small depth network on photos and clips, or hold one against Draft: `python -m model.train.depth`."""

from __future__ import annotations

import argparse
import logging
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from model.data.media import MediaRules, load_library
from model.data.real_pairs import RealPair, rank_correlation, read_pairs
from model.depth.cues import ground
from model.depth.draft import Draft
from model.errors import StereoError
from model.sasi.tensor_file import check_tensors, read_tensor_file
from model.train.depth.network import HEIGHT, WIDTH, NearnessNetwork, order_loss
from model.train.depth.samples import batch_of, clip_samples

_log = logging.getLogger("model.train.depth")
_BATCH, _LARGEST_RATE, _LOG_EVERY = 6, 2e-3, 50


def main() -> int:
    """Parse the command line and run; 0 = done, 2 = wrong input."""
    parser = argparse.ArgumentParser(prog="python -m model.train.depth", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    training = verbs.add_parser("train", help="learn from photos and clips")
    training.add_argument("media", type=Path, help="folder of photos and clips")
    training.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="weights (safetensors)")
    training.add_argument("--minutes", type=float, default=25, help="how long (default 25)")
    evaluation = verbs.add_parser("evaluate", help="print rank correlations with real pairs")
    evaluation.add_argument("weights", type=Path, help="weights of `train`")
    evaluation.add_argument("pairs", type=Path, nargs="+", help="folders of NAME_left, NAME_right[, NAME_disparity]")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    try:
        if arguments.verb == "train":
            train(arguments.media, arguments.output, arguments.minutes)
        else:
            evaluate(arguments.weights, [pair for folder in arguments.pairs for pair in read_pairs(folder)])
    except StereoError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def train(media: Path, output: Path, minutes: float) -> None:
    """Train for `minutes` and write the weights; the learning rate follows the clock."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    rng = np.random.default_rng(0)
    library = load_library(media, MediaRules(photo_width=480, clip_width=480))
    clips = clip_samples(library)
    network = NearnessNetwork()
    optimizer = torch.optim.AdamW(network.parameters(), lr=_LARGEST_RATE)
    start, step = time.monotonic(), 0
    while (done := (time.monotonic() - start) / (60 * minutes)) < 1:
        for group in optimizer.param_groups:
            group["lr"] = _LARGEST_RATE * min(1.0, (step + 1) / 50) * (1 - done)
        pictures, nearness = batch_of(rng, library, clips, _BATCH)
        loss = order_loss(network(pictures), nearness, rng)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        step += 1
        if step % _LOG_EVERY == 0:
            _log.info("step %d, %.0f %%, loss %.4f", step, 100 * done, float(loss.detach()))
            save_file(network.state_dict(), output)
    save_file(network.state_dict(), output)


def evaluate(weights: Path, pairs: list[RealPair]) -> None:
    """Print a table: rank correlation with the measured disparity, by the network, Draft and the ground plane alone."""
    network, tensors = NearnessNetwork(), read_tensor_file(weights).tensors
    check_tensors(network.state_dict(), tensors, weights.name)
    network.load_state_dict(tensors)
    print("| pair | network | Draft | lower is nearer |\n|---|---|---|---|")
    scores = []
    for pair in pairs:
        picture = torch.from_numpy(np.ascontiguousarray(pair.left.transpose(2, 0, 1)))[None]
        with torch.no_grad():
            guess = network(F.interpolate(picture, (HEIGHT, WIDTH), mode="area"))[0, 0].numpy()
        guesses = (guess, Draft().estimate(picture)[0, 0].numpy(), ground(HEIGHT, WIDTH))
        scores.append([rank_correlation(nearness, pair) for nearness in guesses])
        print(f"| {pair.name} | " + " | ".join(f"{score:.2f}" for score in scores[-1]) + " |", flush=True)
    print("| mean | " + " | ".join(f"{score:.2f}" for score in np.mean(scores, axis=0)) + " |")


if __name__ == "__main__":
    sys.exit(main())
