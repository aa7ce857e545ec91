"""The configuration of a codec's distillation, and the shape of the smaller codec."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from model.data.media import MediaRules
from model.errors import SettingsError
from model.rule_checks import check_least, check_shares
from model.train.wan.config import PRECISIONS


@dataclass(frozen=True)
class StudentRules:
    """Channels of the smaller codec; the teacher has 96 and (1, 2, 4, 4), two blocks a level, and attention.

    Nearly all time goes into the levels near full size, and nearly all parameters into the deepest: a third of the
    channels and half the blocks where time goes, more channels where parameters are. 78.8 M of 126.9 M parameters
    (paper: 80.2 M) and 5.0 times fewer multiplications. Widths are multiples of 32: 24 channels with two blocks, 5.4
    times fewer multiplications, were but 2.9 times faster. No attention, so that its reach is finite
    (`model.sasi.wan.codec`).
    """

    base_dim: int = 32
    dim_mult: tuple[int, ...] = (1, 2, 4, 14)
    num_res_blocks: int = 1

    def entries(self, teacher: Mapping[str, Any]) -> dict[str, Any]:
        """The config.json of a student of this teacher."""
        return {
            **teacher,
            "base_dim": self.base_dim,
            "decoder_base_dim": None,
            "dim_mult": list(self.dim_mult),
            "num_res_blocks": self.num_res_blocks,
        }


@dataclass(frozen=True)
class CodecRunRules:
    """Length, rates and rhythm of the run. Raises SettingsError for values out of range."""

    seed: int = 1
    steps: int = 100_000
    batch: int = 4
    frames: int = 9  # 4k + 1
    height: int = 256  # px, a multiple of 8
    width: int = 256
    device: str = "cuda"
    precision: str = "bf16"  # of the teacher; the student is trained in float32
    rate: float = 1e-4
    warmup: int = 1000  # steps
    largest_gradient: float = 1.0
    ema: float = 0.999
    save_every: int = 500

    def __post_init__(self) -> None:
        check_least(self, steps=1, batch=1, frames=1, height=8, width=8, save_every=1)
        check_least(self, seed=0, rate=0, warmup=0, largest_gradient=0)
        check_shares(self, "ema")
        if self.frames % 4 != 1 or self.height % 8 or self.width % 8:
            raise SettingsError(
                f"frames must be 4k + 1 and sides multiples of 8; got {self.frames}, {self.height}x{self.width}"
            )
        if self.precision not in PRECISIONS:
            raise SettingsError(f"precision must be one of {', '.join(PRECISIONS)}; got {self.precision!r}")


@dataclass(frozen=True)
class CodecLossRules:
    """Weights of the parts of the loss."""

    latent: float = 1.0  # squared distance from the teacher's normalised latents
    pixel: float = 1.0  # distance of what the student decodes from the teacher's latents to the truth
    own: float = 0.5  # the same from the student's own latents


@dataclass(frozen=True)
class CodecTrainConfig:
    """Everything a distillation depends on. Folders are relative to where the command runs."""

    teacher: str  # folder of a Wan VAE in diffusers' layout
    media: str
    output: str
    student: StudentRules = field(default_factory=StudentRules)
    run: CodecRunRules = field(default_factory=CodecRunRules)
    loss: CodecLossRules = field(default_factory=CodecLossRules)
    training: MediaRules = field(default_factory=MediaRules)
