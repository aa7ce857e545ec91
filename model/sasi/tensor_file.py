"""Safetensors files, read so strictly that they are what they should be or an error in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from model.errors import WeightsError


@dataclass(frozen=True)
class TensorFile:
    """Tensors of a file, mapped from it: who writes to the file afterwards changes them; and its metadata."""

    tensors: dict[str, Tensor]
    metadata: dict[str, str]


def read_tensor_file(path: Path) -> TensorFile:
    """Read all of a safetensors file. Raises WeightsError when it is missing, damaged or of another format."""
    if path.suffix != ".safetensors":
        raise WeightsError(f"expected a .safetensors file, got {path.name}; pickled weights are refused, convert them")
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
            return TensorFile(tensors, file.metadata() or {})
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path.name} is damaged or no safetensors file ({error}); fetch it again") from error


def check_tensors(expected: Mapping[str, Tensor], found: Mapping[str, Tensor], where: str) -> None:
    """Raise WeightsError unless names and shapes are those expected, and all values finite floating-point numbers.

    expected  as the network's own state_dict has them; only their shapes count, so they may be on the meta device
    """
    missing, unknown = sorted(expected.keys() - found.keys()), sorted(found.keys() - expected.keys())
    if missing or unknown:
        raise WeightsError(
            f"{where} does not fit its config: {len(missing)} tensors missing {missing[:3]}, "
            f"{len(unknown)} unknown {unknown[:3]}; use what was published, unchanged"
        )
    for name, tensor in found.items():
        if tensor.shape != expected[name].shape:
            raise WeightsError(
                f"{where}: {name} must have shape {tuple(expected[name].shape)}; it has {tuple(tensor.shape)}"
            )
        if not tensor.is_floating_point():
            raise WeightsError(f"{where}: {name} must hold floating-point numbers; it holds {tensor.dtype}")
        if not torch.isfinite(tensor).all():
            raise WeightsError(f"{where}: {name} holds values that are not finite; fetch the file again")
