"""The configuration of a LoRA run on Wan 2.1: three stages, each with its own windows and rate."""

from __future__ import annotations

from dataclasses import dataclass, field

from model.data.media import MediaRules
from model.errors import SettingsError
from model.rule_checks import check_least, check_shares

MASKS = ("random", "projected", "stored")
"""Boxes and strokes; PBDP on drawn scenes; PBDP on real clips, from a folder of `python -m model.data pairs`."""
PRECISIONS = ("fp32", "bf16", "fp16")


@dataclass(frozen=True)
class StageRules:
    """One stage; without steps it is left out. Raises SettingsError for values out of range."""

    steps: int = 0
    batch: int = 1  # windows of an optimiser step, on all devices together
    rate: float = 4e-5
    masks: str = "random"
    sizes: tuple[tuple[int, int], ...] = ((720, 1280),)  # (height, width) px, multiples of 16; one is drawn a batch
    frames: int = 17  # 4k + 1
    one_step_share: float = 0.0  # of steps at sigma = 1, the only noise level that one-step sampling sees
    teacher_steps: int = 0  # > 0: learn in one step what the network of the stage before gives in so many

    def __post_init__(self) -> None:
        check_least(self, steps=0, batch=1, rate=0, frames=1, teacher_steps=0)
        check_shares(self, "one_step_share")
        object.__setattr__(self, "sizes", tuple((int(height), int(width)) for height, width in self.sizes))
        if self.masks not in MASKS:
            raise SettingsError(f"masks must be one of {', '.join(MASKS)}; got {self.masks!r}")
        if self.frames % 4 != 1 or any(side % 16 or side < 16 for size in self.sizes for side in size):
            raise SettingsError(f"frames must be 4k + 1 and sizes multiples of 16; got {self.frames} and {self.sizes}")


@dataclass(frozen=True)
class LoraRules:
    """Size of the LoRA: rank of the added matrices, and alpha, their strength times the rank. Raises SettingsError."""

    rank: int = 64
    alpha: float = 64.0

    def __post_init__(self) -> None:
        check_least(self, rank=1, alpha=0)


@dataclass(frozen=True)
class WanRunRules:
    """What all stages share. Raises SettingsError for values out of range."""

    seed: int = 1
    device: str = "cuda"
    precision: str = "bf16"  # of the frozen matrices and the codec; what is trained is float32
    recompute: bool = True  # blocks are run again on the way back: less memory, a third more time
    threads: int = 4  # that draw the windows of later steps
    micro_batch: int = 1  # windows at once; gradients add up to the stage's batch
    warmup: int = 100  # steps of each stage
    weight_decay: float = 0.01
    largest_gradient: float = 1.0
    ema: float = 0.999
    save_every: int = 100
    validate_every: int = 500
    validation_windows: int = 4

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise SettingsError(f"precision must be one of {', '.join(PRECISIONS)}; got {self.precision!r}")
        check_least(self, threads=1, micro_batch=1, save_every=1, validate_every=1, validation_windows=1)
        check_least(self, seed=0, warmup=0, weight_decay=0, largest_gradient=0)
        check_shares(self, "ema")


@dataclass(frozen=True)
class WanTrainConfig:
    """Everything a run depends on. Folders are relative to where the command runs."""

    weights: str  # transformer, vae and null_prompt.safetensors: see docs/wan.md
    media: str
    output: str
    pairs: str = ""  # of python -m model.data pairs, for masks = "stored"
    lora: LoraRules = field(default_factory=LoraRules)
    run: WanRunRules = field(default_factory=WanRunRules)
    stage1: StageRules = field(default_factory=StageRules)
    stage2: StageRules = field(default_factory=StageRules)
    stage3: StageRules = field(default_factory=StageRules)
    training: MediaRules = field(default_factory=MediaRules)
    validation: MediaRules = field(default_factory=MediaRules)

    def __post_init__(self) -> None:
        if any(stage.steps and stage.masks == "stored" for stage in self.stages) and not self.pairs:
            raise SettingsError('masks = "stored" needs pairs, a folder that python -m model.data pairs has written')
        if not self.steps:
            raise SettingsError("no stage has steps: there is nothing to train")

    @property
    def stages(self) -> tuple[StageRules, ...]:
        """In the order in which they run."""
        return (self.stage1, self.stage2, self.stage3)

    @property
    def steps(self) -> int:
        """Of all stages together."""
        return sum(stage.steps for stage in self.stages)

    def stage_at(self, step: int) -> tuple[int, int]:
        """Number of the stage that a step belongs to, counted from 0, and the step's number inside it."""
        for number, stage in enumerate(self.stages):
            if step < stage.steps:
                return number, step
            step -= stage.steps
        raise ValueError(f"step {step} lies beyond the run")
