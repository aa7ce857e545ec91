"""A real pair: make the right eye of the left photograph, and hold it against the right photograph."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

import model
from examples.demo.effect import StereoEffect
from examples.demo.media import Image, StereoPair, load_motorcycle
from examples.demo.metrics import Mask, plain_warp, psnr, ssim
from examples.demo.pictures import contact_sheet, write_png
from model.depth.unknown import fill_unknown

BAR_DB = 4.0
"""What the right eye must gain over a plain warp."""

EXACT_DISPARITY = {
    "depth_source": "clip",
    "depth_meaning": "disparity-px",
    "edge_fix": 0.0,  # the true disparity has no mixed edge pixels to grow over
    "window": 1,  # a photograph has no neighbours in time
}
OUTPUTS = {"right": "right_eye", "anaglyph": "anaglyph", "sbs-half": "side_by_side"}
MAPS = {"disparity": "disparity", "mask": "mask"}
"""Outputs that are the same whatever fills the holes, so that nothing need be filled for them."""
SHEET_TITLES = ("right photograph", "our right eye, from the left photograph", "plain warp (grid_sample)")


@dataclass(frozen=True)
class Score:
    """PSNR in dB and SSIM of one picture against the right photograph."""

    psnr_db: float
    ssim: float


@dataclass(frozen=True)
class Comparison:
    """Our right eye and the plain warp, over one set of pixels (`share` of the picture)."""

    pixels: str
    share: float
    ours: Score
    plain: Score

    @property
    def gain_db(self) -> float:
        """How much nearer to the photograph ours is."""
        return self.ours.psnr_db - self.plain.psnr_db


def run(effect: StereoEffect, folder: Path) -> tuple[list[Comparison], list[Path]]:
    """Render the pair through the plugin into `folder`; return the comparisons and the files."""
    pair = load_motorcycle()
    written, pictures = [], {}
    for output, name in (OUTPUTS | MAPS).items():
        engine = {"engine": "stretch"} if output in MAPS else {}
        settings = {"output": output, **EXACT_DISPARITY, **engine}
        pictures[output] = next(effect.render([0], pair.left[None], pair.disparity[None], **settings))
        written.append(write_png(folder / f"motorcycle_{name}.png", pictures[output]))
    plain = plain_warp(pair.left, _known_everywhere(pair.disparity))
    sheet = contact_sheet([[pair.right, pictures["right"], plain]], SHEET_TITLES, pair.right.shape[1])
    written.append(write_png(folder / "motorcycle_comparison.png", sheet))
    return compare(pair, pictures["right"][..., :3], plain), written


def compare(pair: StereoPair, right_eye: Image, plain: Image) -> list[Comparison]:
    """Score both pictures over the pixels of the right photograph whose surface has a known disparity.

    The pixels are found by warping the left picture's validity (1 known, 0 unknown) as if it were a picture.
    """
    known = torch.from_numpy(np.isfinite(pair.disparity).astype(np.float32))[None, None]
    warp = model.gapw(known, torch.from_numpy(pair.disparity)[None, None])
    valid = warp.view[0, 0].numpy() > 0.999  # a pixel mixed with an unknown one does not count
    filled = warp.disocclusion[0, 0].numpy()
    sets: dict[str, Mask] = {
        "all with known disparity": valid,
        "  seen by both eyes": valid & ~filled,
        "  filled": valid & filled,
    }
    return [
        Comparison(name, float(where.mean()), _score(right_eye, pair, where), _score(plain, pair, where))
        for name, where in sets.items()
    ]


def table(comparisons: list[Comparison]) -> str:
    """Lay the comparisons out as text."""
    lines = [f"{'pixels of the right photograph':<32}{'share':>7}{'right eye':>18}{'plain warp':>18}{'gain':>9}"]
    for row in comparisons:
        ours, plain = (f"{score.psnr_db:6.2f} dB {score.ssim:.3f}" for score in (row.ours, row.plain))
        lines.append(f"{row.pixels:<32}{row.share:>7.1%}{ours:>18}{plain:>18}{row.gain_db:>+6.2f} dB")
    return "\n".join(lines)


def _score(picture: Image, pair: StereoPair, where: Mask) -> Score:
    return Score(psnr(picture, pair.right, where), ssim(picture, pair.right, where))


def _known_everywhere(disparity: Image) -> Image:
    """Unknown disparities as ours takes them, so that the plain warp is not beaten by them."""
    return fill_unknown(torch.from_numpy(disparity)[None, None])[0, 0].numpy()
