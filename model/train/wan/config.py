"""The configuration of a LoRA run on Wan 2.1: three stages, each with its own windows and rate."""

from __future__ import annotations

from dataclasses import dataclass, field

from model.data.media import MediaRules
from model.errors import SettingsError

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
        object.__setattr__(self, "sizes", tuple((int(height), int(width)) for height, width in self.sizes))
        if self.masks not in MASKS:
            raise SettingsError(f"masks must be one of {', '.join(MASKS)}; got {self.masks!r}")
        if self.frames % 4 != 1 or any(side % 16 or side < 16 for size in self.sizes for side in size):
            raise SettingsError(f"frames must be 4k + 1 and sizes multiples of 16; got {self.frames} and {self.sizes}")
        if min(self.steps, self.teacher_steps) < 0 or self.batch < 1 or not 0 <= self.one_step_share <= 1:
            raise SettingsError(f"steps and teacher_steps must be 0 or more, batch 1 or more, shares 0..1; got {self}")


@dataclass(frozen=True)
class LoraRules:
    """Size of the LoRA: rank of the added matrices, and alpha, their strength times the rank."""

    rank: int = 64
    alpha: float = 64.0


@dataclass(frozen=True)
class WanRunRules:
    """What all stages share."""

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
        if self.threads < 1 or self.micro_batch < 1:
            raise SettingsError(f"threads and micro_batch must be 1 or more; got {self.threads}, {self.micro_batch}")


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
