"""What a smaller codec costs and saves beside its teacher (Tables 6 and 7 of the paper, on any footage)."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from model.evaluate.fills import sasi
from model.evaluate.markdown import number, table
from model.evaluate.scores import Score, score_fills, ssim
from model.evaluate.windows import Window
from model.sasi.wan.codec import WanCodec
from model.sasi.wan.inpainter import WanInpainter
from model.train.lpips import Lpips


@dataclass
class _Sums:
    """Of one codec, over the footage; each piece counts alike."""

    psnr: float = 0.0
    ssim: float = 0.0
    lpips: float = 0.0
    encode_s: float = 0.0
    decode_s: float = 0.0


def codec_table(codecs: dict[str, WanCodec], footage: dict[str, Tensor], lpips: Lpips | None) -> str:
    """Encode and decode whole footage (T, 3, H, W), 0..1, T = 4k + 1, by each codec: what comes back, and CPU time.

    The first codec is the teacher that the others are compared with. Raises ShapeError for another T.
    """
    rows, teacher_s = [], 0.0
    for name, codec in codecs.items():
        sums = _measured(codec, footage, lpips)
        seconds = sums.encode_s + sums.decode_s
        teacher_s = teacher_s or seconds
        count, parameters = len(footage), sum(value.numel() for value in codec.vae.parameters())
        rows.append(
            (
                name,
                f"{parameters / 1e6:.1f} M",
                number(sums.encode_s / count, 2),
                number(sums.decode_s / count, 2),
                number(teacher_s / seconds, 2),
                number(sums.psnr / count, 2),
                number(sums.ssim / count, 4),
                number(sums.lpips / count, 4) if lpips else "–",
            )
        )
    head = ("codec", "parameters", "encode, CPU s", "decode, CPU s", "times faster")
    return table((*head, "PSNR of footage", "SSIM", "LPIPS"), rows)


def codec_fill_table(
    codecs: dict[str, WanCodec], inpainter: WanInpainter, windows: Iterable[Window], lpips: Lpips | None
) -> str:
    """Fill the same windows by the same transformer between each of the codecs: whole frames after filling."""
    fills = {name: sasi(inpainter.between(codec)) for name, codec in codecs.items()}
    rows = [(name, *_quality(score)) for name, score in score_fills(fills, windows, lpips).items()]
    return table(("codec", "PSNR", "SSIM", "LPIPS", "PSNR in disocclusions"), rows)


def _quality(score: Score) -> tuple[str, ...]:
    means = (("psnr", 2), ("ssim", 4), ("hole.lpips", 4), ("hole.psnr", 2))
    return tuple(number(score.mean(name), digits) for name, digits in means)


@torch.inference_mode()
def _measured(codec: WanCodec, footage: dict[str, Tensor], lpips: Lpips | None) -> _Sums:
    sums = _Sums()
    for frames in footage.values():
        start = time.process_time()
        latents = codec.encode(frames.movedim(0, 1)[None] * 2 - 1)
        between = time.process_time()
        video = codec.decode(latents)
        sums.encode_s += between - start
        sums.decode_s += time.process_time() - between
        seen = ((video[0].movedim(1, 0) + 1) / 2).clamp(0, 1)
        error = (seen - frames).square().mean().clamp(min=1e-12)
        sums.psnr += -10 * error.log10().item()
        sums.ssim += sum(ssim(one, truth) for one, truth in zip(seen, frames, strict=True)) / len(frames)
        if lpips is not None:
            middle = slice(len(frames) // 2, len(frames) // 2 + 1)
            sums.lpips += lpips(seen[middle], frames[middle]).item()
    return sums
