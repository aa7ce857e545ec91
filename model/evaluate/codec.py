"""What a smaller codec costs and saves beside its teacher (Tables 6 and 7 of the paper, on any footage)."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from model.evaluate.fills import Fill, sasi
from model.evaluate.inpainting import quality
from model.evaluate.markdown import number, table
from model.evaluate.scores import score_fills
from model.evaluate.windows import Window
from model.sasi.wan.codec import WanCodec
from model.sasi.wan.inpainter import WanInpainter
from model.train.lpips import Lpips


def codec_table(codecs: dict[str, WanCodec], pieces: dict[str, Tensor], lpips: Lpips | None) -> str:
    """Encode and decode whole pieces of footage (T, 3, H, W), 0..1, T = 4k + 1: what comes back, and CPU time.

    The first codec is the teacher that the others are compared with. Raises ShapeError for another T.
    """
    spent = {name: _Spent() for name in codecs}
    fills = {name: _there_and_back(codec, spent[name]) for name, codec in codecs.items()}
    scores = score_fills(fills, [_all_hole(name, frames) for name, frames in pieces.items()], lpips)
    teacher_s = next(iter(spent.values())).seconds
    rows = [
        (
            name,
            f"{sum(value.numel() for value in codec.vae.parameters()) / 1e6:.1f} M",
            number(spent[name].encode_s / len(pieces), 2),
            number(spent[name].decode_s / len(pieces), 2),
            number(teacher_s / spent[name].seconds, 2),
            *quality(scores[name]),
        )
        for name, codec in codecs.items()
    ]
    head = ("codec", "parameters", "encode, CPU s", "decode, CPU s", "times faster")
    return table((*head, "PSNR of footage", "SSIM", "LPIPS"), rows)


def codec_fill_table(
    codecs: dict[str, WanCodec], inpainter: WanInpainter, windows: Iterable[Window], lpips: Lpips | None
) -> str:
    """Fill the same windows by the same transformer between each of the codecs: whole frames after filling."""
    fills = {name: sasi(inpainter.between(codec)) for name, codec in codecs.items()}
    scores = score_fills(fills, windows, lpips).items()
    rows = [(name, *quality(score), number(score.mean("hole.psnr"), 2)) for name, score in scores]
    return table(("codec", "PSNR", "SSIM", "LPIPS", "PSNR in disocclusions"), rows)


@dataclass
class _Spent:
    """CPU time of one codec."""

    encode_s: float = 0.0
    decode_s: float = 0.0

    @property
    def seconds(self) -> float:
        return self.encode_s + self.decode_s


def _there_and_back(codec: WanCodec, spent: _Spent) -> Fill:
    @torch.inference_mode()
    def fill(window: Window) -> Tensor:
        start = time.process_time()
        latents = codec.encode(window.view.movedim(0, 1)[None] * 2 - 1)
        encoded = time.process_time()
        video = codec.decode(latents)
        spent.encode_s += encoded - start
        spent.decode_s += time.process_time() - encoded
        return (video[0].movedim(1, 0) + 1) / 2

    return fill


def _all_hole(name: str, frames: Tensor) -> Window:
    """Footage of which every pixel is asked for."""
    every = torch.ones(len(frames), 1, *frames.shape[2:], dtype=torch.bool)
    return Window(name, frames, frames, every, ~every, torch.zeros(every.shape))
