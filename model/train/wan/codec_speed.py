"""Time the smaller codec against its teacher, both with random weights: `python -m model.train.wan.codec_speed`.

The paper's table 7 has 1024 × 1024 on an A100: 122.7 ms for the teacher, 27.8 ms for its smaller one.
"""

from __future__ import annotations

import argparse
import sys

import torch

from model.errors import StereoError
from model.sasi.wan.bench import least_seconds
from model.sasi.wan.codec import STRIDE_FRAMES, STRIDE_PX, WanCodec, drop_attention
from model.sasi.wan.config import LATENT_CHANNELS
from model.train.wan.codec_config import StudentRules
from model.train.wan.distill_codec import random_vae

WAN_VAE = {"_class_name": "AutoencoderKLWan", "z_dim": 16}
"""What diffusers builds without further settings is Wan 2.1's."""


def main() -> int:
    """Print a Markdown table; 0 = done, 2 = wrong input."""
    parser = argparse.ArgumentParser(prog="python -m model.train.wan.codec_speed", description=__doc__)
    parser.add_argument("--size", type=int, default=256, help="height and width, px, a multiple of 8 (256)")
    parser.add_argument("--frames", type=int, default=1, help="4k + 1 (1)")
    parser.add_argument("--device", default="cpu", help="cpu or cuda; never run on cuda")
    parser.add_argument("--rounds", type=int, default=2, help="the least time of so many calls counts (2)")
    flags = parser.parse_args()
    try:
        print("| codec | parameters | encode, s | decode, s | times faster |\n|---|--:|--:|--:|--:|")
        slowest = 0.0
        for name, codec in codecs(flags.device).items():
            encode_s, decode_s = times(codec, flags.size, flags.frames, flags.rounds)
            slowest = slowest or encode_s + decode_s
            count = sum(value.numel() for value in codec.vae.parameters())
            faster = slowest / (encode_s + decode_s)
            print(f"| {name} | {count / 1e6:.1f} M | {encode_s:.2f} | {decode_s:.2f} | {faster:.2f} |")
    except StereoError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def codecs(device: str) -> dict[str, WanCodec]:
    """The teacher's and the smaller codec's architecture with random weights: in bfloat16 on a GPU."""
    torch.manual_seed(0)
    dtype = torch.bfloat16 if device.startswith("cuda") else torch.float32
    entries = {"Wan 2.1's": WAN_VAE, "smaller": StudentRules().entries(WAN_VAE)}
    made = {}
    for name, shape in entries.items():
        vae = random_vae(shape)
        if name == "smaller":
            drop_attention(vae)
        torch.nn.Module.to(vae.eval().requires_grad_(False), device=device, dtype=dtype)
        made[name] = WanCodec(vae)
    return made


@torch.inference_mode()
def times(codec: WanCodec, size: int, frames: int, rounds: int) -> tuple[float, float]:
    """Least seconds to encode and to decode one square video."""
    video = torch.rand(1, 3, frames, size, size, device=codec.vae.device) * 2 - 1
    shape = (1, LATENT_CHANNELS, 1 + (frames - 1) // STRIDE_FRAMES, size // STRIDE_PX, size // STRIDE_PX)
    latents = torch.randn(shape, device=codec.vae.device)
    device = str(codec.vae.device)
    encode_s = least_seconds(lambda: codec.encode(video), rounds, device)
    return encode_s, least_seconds(lambda: codec.decode(latents), rounds, device)


if __name__ == "__main__":
    sys.exit(main())
