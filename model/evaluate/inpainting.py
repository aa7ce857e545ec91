"""Fills of holes whose truth is known: drawn scenes with the issue's bars, and the paper's Tables 1, 4 and 5."""

from __future__ import annotations

from collections.abc import Iterable

from model.evaluate.fills import PUSH_PULL, ROW_FILL, gapw_stretch, sasi, yardsticks
from model.evaluate.markdown import number, table
from model.evaluate.scores import Score, score_fills
from model.evaluate.windows import Window
from model.sasi.fill_rules import DILATIONS
from model.sasi.inpainter import Inpainter
from model.train.lpips import Lpips

STEPS = (1, 4, 8)
STRIDES = (20, 10)


def hole_table(scores: dict[str, Score]) -> str:
    """PSNR, sharpness and LPIPS of holes, beside background-only push-pull and row fill; means over media."""
    base, row = scores[PUSH_PULL], scores[ROW_FILL]
    rows = []
    for name, score in scores.items():
        gains = {medium: gain for medium, gain in score.gains(base).items() if gain == gain}
        worst = min(gains, key=lambda medium: gains[medium])
        rows.append(
            (
                name,
                number(score.mean("hole.psnr"), 2),
                f"{sum(gains.values()) / len(gains):+.2f}",
                f"{gains[worst]:+.2f} ({worst})",
                number(score.mean("hole.edge_psnr"), 2),
                number(score.sharpness, 2),
                number(100 * score.mean("hole.lpips"), 3),
                number(score.mean("hole.lpips") / row.mean("hole.lpips"), 2),
            )
        )
    head = ("fill", "PSNR in disocclusions", "over push-pull", "worst medium", "edge strip PSNR", "sharpness")
    return table((*head, "LPIPS ×100", "of row fill's"), rows)


def media_table(scores: dict[str, Score]) -> str:
    """PSNR in the disocclusions of every medium."""
    media = next(iter(scores.values())).media
    rows = [
        (medium, *(number(score.media[medium].hole.psnr, 2) for score in scores.values()))
        for medium in media
        if media[medium].hole.pixels
    ]
    return table(("medium", *scores), rows)


def inpainting_table(windows: list[Window], inpainter: Inpainter, lpips: Lpips | None) -> str:
    """Table 1 of the paper: whole frames after filling, the yardsticks and SASI at 1, 4 and 8 network calls."""
    fills = {**yardsticks(), "GAPW stretch": gapw_stretch}
    fills |= {f"SASI {inpainter.name}, NFE {steps}": sasi(inpainter, steps=steps) for steps in STEPS}
    scores = score_fills(fills, windows, lpips)
    rows = [(*_quality(name, score), number(score.mean("hole.psnr"), 2)) for name, score in scores.items()]
    return table((*_QUALITY, "PSNR in disocclusions"), rows)


def token_table(windows: list[Window], inpainter: Inpainter, lpips: Lpips | None) -> str:
    """Table 4: which tokens are computed, by dilation and temporal stride; the first row computes all."""
    choices = [(1, 1), *((dilation, stride) for dilation in DILATIONS for stride in (0, *STRIDES))]
    rows = []
    for dilation, stride in choices:
        kept: list[float] = []
        fill = sasi(inpainter, kept, dilation=dilation, temporal_stride=stride)
        score = score_fills({"": fill}, windows, lpips)[""]
        names = ("all", "–") if stride == 1 else (str(dilation), str(stride or "–"))
        row = _quality("", score)[1:]
        rows.append((*names, f"{100 * sum(kept) / len(kept):.1f}", *row, number(score.mean("hole.psnr"), 2)))
    return table(("dilation", "stride", "retention, %", *_QUALITY[1:], "PSNR in disocclusions"), rows)


def disparity_table(windows: Iterable[tuple[float, list[Window]]], inpainter: Inpainter, lpips: Lpips | None) -> str:
    """Table 5: quality as the largest disparity grows; windows for each fraction of the width."""
    rows = []
    for disparity, some in windows:
        hole = sum(window.hole.float().mean().item() for window in some) / len(some)
        fills = {ROW_FILL: yardsticks()[ROW_FILL], f"SASI {inpainter.name}": sasi(inpainter)}
        for name, score in score_fills(fills, some, lpips).items():
            rows.append((f"{disparity:g}", f"{hole:.1%}", *_quality(name, score)))
    return table(("max disparity", "holes", *_QUALITY), rows)


_QUALITY = ("fill", "CPU ms a frame", "PSNR", "SSIM", "LPIPS")


def _quality(name: str, score: Score) -> tuple[str, ...]:
    return (name, number(score.ms_per_frame, 0), *quality(score))


def quality(score: Score) -> tuple[str, ...]:
    """PSNR, SSIM and LPIPS of whole frames, as cells of a row."""
    return tuple(number(score.mean(name), digits) for name, digits in (("psnr", 2), ("ssim", 4), ("hole.lpips", 4)))
