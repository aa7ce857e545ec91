"""What every run keeps on disk and in memory beside its network: the checkpoint, and a running mean (EMA)."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from model.errors import SettingsError, WeightsError

_NAME = "checkpoint.pt"


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give a path to write to, and put what was written in the place of `path`; killed before, the old file stays."""
    partial = path.with_name(f"{path.name}.new")
    yield partial
    partial.replace(path)


def output_folder(path: str) -> Path:
    """Make the folder of a run where there is none. Raises SettingsError where there can be none."""
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"output must be a folder that can be written; {path} is none ({error.strerror})"
        ) from error
    return folder


def write_checkpoint(folder: Path, state: dict[str, Any]) -> None:
    """Keep the state of a run, tensors and plain values, in its output folder."""
    with written_whole(folder / _NAME) as partial:
        torch.save(state, partial)


def read_checkpoint(folder: Path, device: torch.device | str = "cpu") -> dict[str, Any] | None:
    """Read what `write_checkpoint` kept; None when the run is new. Raises WeightsError when it cannot be read."""
    path = folder / _NAME
    if not path.exists():
        return None
    try:
        return torch.load(path, weights_only=True, map_location=device)
    except (OSError, RuntimeError, EOFError, LookupError, ValueError, pickle.UnpicklingError) as error:
        reason = str(error).partition("\n")[0] or "empty"
        raise WeightsError(f"{path} is damaged or of something else ({reason}); remove it to begin anew") from error


@contextmanager
def taking_over(folder: Path) -> Iterator[None]:
    """Around the use of a checkpoint's state: raises WeightsError where that is of another kind of run."""
    try:
        yield
    except WeightsError:
        raise
    except (KeyError, RuntimeError, ValueError) as error:
        raise WeightsError(f"the checkpoint in {folder} is of another kind of run; choose another output") from error


@torch.no_grad()
def follow(mean: Iterable[Tensor], values: Iterable[Tensor], decay: float, step: int) -> None:
    """Move a running mean towards values: by 1 − decay, and faster in the first steps, when it holds the start."""
    decay = min(decay, step / (step + 10))
    for slow, fast in zip(mean, values, strict=True):
        slow.lerp_(fast, 1 - decay)
