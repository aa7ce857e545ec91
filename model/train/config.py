"""The configuration of a training run: one TOML file, unknown names refused."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from model.data.dataset import SceneRules
from model.data.media import MediaRules
from model.errors import SettingsError
from model.rule_checks import check_least, check_shares
from model.sasi.fill_rules import DILATIONS

Config = TypeVar("Config")


@dataclass(frozen=True)
class RunRules:
    """Length, rates and rhythm of a run. Raises SettingsError for values out of range."""

    seed: int = 1
    steps: int = 5000
    minutes: float = 0.0  # end and anneal within this time even if fewer steps were done; 0 = as long as it takes
    threads: int = 2  # of the network
    workers: int = 1  # processes that make batches; 0 = the training process itself
    rate: float = 2e-3
    warmup: int = 100  # steps
    weight_decay: float = 0.01
    largest_gradient: float = 1.0
    ema: float = 0.998
    one_step_share: float = 0.6  # of steps trained at sigma = 1, where the one-step sampler works
    lend: bool = False  # detail before the loss, as the product does after the network: `model.sasi.lent_detail`
    dilations: tuple[int, ...] = (3, 5, 5, 7)
    bf16: bool = False
    report_every: int = 50
    save_every: int = 250
    validate_every: int = 500
    validation_windows: int = 20

    def __post_init__(self) -> None:
        check_least(self, steps=1, threads=1, report_every=1, save_every=1, validate_every=1, validation_windows=1)
        check_least(self, seed=0, minutes=0, workers=0, rate=0, warmup=0, weight_decay=0, largest_gradient=0)
        check_shares(self, "ema", "one_step_share")
        if not self.dilations or not set(self.dilations) <= set(DILATIONS):
            raise SettingsError(f"dilations must be some of {DILATIONS}; got {self.dilations}")


@dataclass(frozen=True)
class LossRules:
    """Weights of the parts of the loss. Raises SettingsError for values out of range."""

    gradient: float = 0.25
    squared: float = 0.5
    floor: float = 0.02  # of 0..1: errors of push-pull well below it do not raise a frame's weight further
    outside: float = 0.1  # pixels of predicted tokens that are no hole
    edge: float = 0.5  # the strip beyond the frame's edge
    perceptual: float = 0.0  # LPIPS, from `perceptual_from` on
    perceptual_from: float = 0.7  # fraction of the run
    perceptual_weights: str = ""  # see `model.train.lpips.load_lpips`
    shortfall: float = 0.0  # frames whose squared error exceeds `shortfall_margin` times push-pull's
    shortfall_margin: float = 0.9

    def __post_init__(self) -> None:
        check_least(self, gradient=0, squared=0, floor=0, outside=0, edge=0, perceptual=0, shortfall=0)
        check_least(self, shortfall_margin=0)
        check_shares(self, "perceptual_from")


_VALIDATION_SCENES = SceneRules(frames=5, height=256, width=448, batch=1, projection_share=0.0)


@dataclass(frozen=True)
class TrainConfig:
    """Everything a run depends on. `media` and `output` are folders, relative to where the command runs."""

    media: str
    output: str
    run: RunRules = field(default_factory=RunRules)
    loss: LossRules = field(default_factory=LossRules)
    scenes: SceneRules = field(default_factory=SceneRules)
    validation_scenes: SceneRules = field(default_factory=lambda: _VALIDATION_SCENES)
    training: MediaRules = field(default_factory=MediaRules)
    validation: MediaRules = field(default_factory=MediaRules)
    start: str = ""  # weights to begin with, a name or a .safetensors file; "" = an untrained network
    pairs: str = ""  # folder of python -m model.data pairs, for `scenes.stored_share`; "" = none


def read_config(path: Path) -> TrainConfig:
    """Read the configuration of lite. Raises as `read_as`."""
    return read_as(TrainConfig, path)


def read_as(kind: type[Config], path: Path) -> Config:
    """Read a TOML file as a dataclass of dataclasses.

    Raises SettingsError for unknown names, missing names and wrong kinds.
    """
    return _build(kind, read_table(path), path.name)


def read_table(path: Path) -> dict[str, Any]:
    """Read a TOML file as it is. Raises SettingsError when it is none."""
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except (OSError, ValueError) as error:  # TOMLDecodeError, or bytes that are no text
        raise SettingsError(f"cannot read the configuration {path}: {error}") from error


def _build(kind: type, table: Any, where: str) -> Any:
    if not isinstance(table, dict):
        raise SettingsError(f"{where} must be a table of names and values; got {table!r}")
    hints = get_type_hints(kind)
    names = {entry.name for entry in fields(kind)}
    unknown = sorted(table.keys() - names)
    if unknown:
        raise SettingsError(f"{where}: unknown name {unknown[0]!r}; known are {', '.join(sorted(names))}")
    values = {}
    for name, value in table.items():
        wanted = hints[name]
        if is_dataclass(wanted):
            values[name] = _build(wanted, value, f"{where} [{name}]")  # type: ignore[arg-type]
        else:
            values[name] = _value(value, wanted, f"{where}: {name}")
    try:
        return kind(**values)
    except TypeError as error:
        raise SettingsError(f"{where}: {error}") from error


def _value(value: Any, wanted: Any, where: str) -> Any:
    if get_origin(wanted) is tuple:
        if not isinstance(value, list):
            raise SettingsError(f"{where} must be a list; got {value!r}")
        return tuple(_value(entry, get_args(wanted)[0], where) for entry in value)
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(wanted, type) and not (isinstance(value, wanted) and isinstance(value, bool) == (wanted is bool)):
        raise SettingsError(f"{where} must be {wanted.__name__}; got {value!r}")
    return value
