"""How far a codec looks, and what a margin costs: `python -m model.sasi.wan.reach FOLDER`."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from model.errors import StereoError
from model.sasi.wan.codec import STRIDE_PX, WanCodec, load_codec
from model.sasi.wan.crops import plan_crops, share

MARGINS = (4, 8, 12, 16, 20, 24)
_FRAMES = 1
"""Reach across the frame is the same for one frame as for many: convolutions in time look at one place."""


@dataclass(frozen=True)
class MarginError:
    """What crops with one margin give: error inside the mask, of a 0..1 range, and time of whole frames over theirs."""

    margin: int
    share: float
    error: float
    speedup: float


def main() -> int:
    """Measure a VAE and print Markdown; 0 = done, 2 = wrong input."""
    parser = argparse.ArgumentParser(prog="python -m model.sasi.wan.reach", description=__doc__)
    parser.add_argument("folder", type=Path, help="config.json and safetensors of a Wan 2.1 VAE, as diffusers saves it")
    parser.add_argument("--size", type=int, nargs=2, default=(384, 640), help="height and width, px, multiples of 8")
    parser.add_argument("--device", default="cpu")
    flags = parser.parse_args()
    try:
        codec = load_codec(flags.folder, flags.device)
        with torch.inference_mode():
            encoder, decoder = reach(codec)
            print(f"a latent sees {encoder} latents to each side, a pixel {decoder} (effects of 1e-6 and more)\n")
            print("| margin | latents computed | largest error in the mask | times faster |\n|--:|--:|--:|--:|")
            video = smooth_video(*flags.size).to(flags.device)
            for line in margin_errors(codec, video, two_edges(*flags.size), MARGINS):
                print(f"| {line.margin} | {line.share:.0%} | {line.error:.1e} | {line.speedup:.2f} |")
    except StereoError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def reach(codec: WanCodec, side: int = 48, least: float = 1e-6) -> tuple[int, int]:
    """Change one place in the middle and see how far it is felt: latents to each side, of encoder and decoder.

    side  latents of the square that is looked at; a reach of side // 2 means everywhere
    """
    video = smooth_video(side * STRIDE_PX, side * STRIDE_PX).to(codec.vae.device)
    changed, middle = video.clone(), side // 2 * STRIDE_PX
    changed[..., middle : middle + STRIDE_PX, middle : middle + STRIDE_PX] *= -1
    latents = codec.encode(video)
    moved = latents.clone()
    moved[..., side // 2, side // 2] += 1
    felt = (codec.encode(changed) - latents, F.max_pool3d(_change(codec, moved, latents), (1, STRIDE_PX, STRIDE_PX)))
    return _distance(felt[0], least), _distance(felt[1], least)


def _change(codec: WanCodec, latents: Tensor, others: Tensor) -> Tensor:
    return (codec.decode(latents) - codec.decode(others)).abs()


def _distance(change: Tensor, least: float) -> int:
    """Of the farthest place that differs from the middle, along rows or columns."""
    places = (change.abs().amax(dim=(0, 1, 2)) >= least).nonzero() - change.shape[-1] // 2
    return int(places.abs().max()) if len(places) else 0


def margin_errors(codec: WanCodec, video: Tensor, needed: Tensor, margins: tuple[int, ...]) -> list[MarginError]:
    """Encode and decode `needed` (h, w) bool of a video by crops of each margin, against whole frames."""
    clock = time.perf_counter if codec.vae.device.type == "cuda" else time.process_time
    start = clock()
    truth = codec.decode(codec.encode(video))
    whole_s = clock() - start
    inside = needed.to(video.device).repeat_interleave(STRIDE_PX, 0).repeat_interleave(STRIDE_PX, 1).expand_as(truth)
    lines = []
    for margin in margins:
        start = clock()
        crops = plan_crops(needed, margin)
        decoded = codec.decode_crops(codec.encode_crops(video, crops), crops, video)
        taken_s = clock() - start
        error = (decoded - truth)[inside].abs().max().item() / 2  # the video's range is two wide; waits for a GPU
        lines.append(MarginError(margin, share(crops, (needed.shape[0], needed.shape[1])), error, whole_s / taken_s))
    return lines


def smooth_video(height: int, width: int, frames: int = _FRAMES) -> Tensor:
    """Soft blobs that move, with a little grain: (1, 3, frames, H, W) in −1..1, the same every time."""
    generator = torch.Generator().manual_seed(11)
    coarse = torch.rand(1, 3, frames, height // 16, width // 16, generator=generator)
    smooth = F.interpolate(coarse, (frames, height, width), mode="trilinear")
    return (smooth * 2 - 1 + 0.05 * torch.randn(smooth.shape, generator=generator)).clamp(-1, 1)


def two_edges(height: int, width: int) -> Tensor:
    """Latents that a tall and a short narrow hole touch, as beside a person and a lamp: (h, w) bool."""
    h, w = height // STRIDE_PX, width // STRIDE_PX
    needed = torch.zeros(h, w, dtype=torch.bool)
    needed[h // 3 : h * 2 // 3, w * 3 // 8 : w * 3 // 8 + 3] = True
    needed[h // 2 : h // 2 + 4, w * 3 // 4 : w * 3 // 4 + 2] = True
    return needed


if __name__ == "__main__":
    sys.exit(main())
