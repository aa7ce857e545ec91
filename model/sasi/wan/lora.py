"""LoRA of our own training: small matrices that are added to a transformer's when it is loaded.

For a matrix W of the network, the file holds NAME.lora_A.weight (r, in) and NAME.lora_B.weight (out, r):
W + alpha / r · B A (Hu et al. 2021). Tensors under their own names replace the network's: the added input channels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from model.errors import WeightsError
from model.sasi.tensor_file import read_tensor_file

FILE = "lora.safetensors"
FAMILY = "stereoconvert-sasi-wan-lora"
_DOWN, _UP = ".lora_A.weight", ".lora_B.weight"


@dataclass(frozen=True)
class Lora:
    """Tensors as in the file, the strength alpha, and what the file says about itself."""

    tensors: Mapping[str, Tensor]
    alpha: float
    metadata: Mapping[str, str]


def save_lora(lora: Lora, path: Path) -> None:
    """Write a LoRA with its strength in the metadata."""
    tensors = {name: value.detach().cpu().contiguous() for name, value in lora.tensors.items()}
    save_file(tensors, path, {**lora.metadata, "family": FAMILY, "alpha": str(lora.alpha)})


def load_lora(path: Path) -> Lora:
    """Read a LoRA. Raises WeightsError when it is damaged or of another kind."""
    file = read_tensor_file(path)
    metadata = file.metadata
    if metadata.get("family") != FAMILY:
        raise WeightsError(f"{path.name} must be of family {FAMILY!r}; its metadata says {metadata.get('family')!r}")
    try:
        return Lora(file.tensors, float(metadata["alpha"]), metadata)
    except (KeyError, ValueError) as error:
        raise WeightsError(f"{path.name} must state its alpha, a number; its metadata has {metadata}") from error


@torch.no_grad()
def merge_lora(network: nn.Module, lora: Lora) -> None:
    """Add a LoRA to a network's matrices in place, in float32. Raises WeightsError when it is of another network."""
    targets = dict(network.named_parameters())
    for name, tensor in lora.tensors.items():
        if name.endswith(_UP):
            continue
        if not name.endswith(_DOWN):
            _check(targets, name, tensor.shape)
            targets[name].copy_(tensor)
            continue
        stem = name.removesuffix(_DOWN)
        up = lora.tensors.get(stem + _UP)
        if up is None or up.shape[1] != tensor.shape[0]:
            raise WeightsError(
                f"the LoRA must hold {stem}{_UP} of rank {tensor.shape[0]}; use the file as it was saved"
            )
        _check(targets, f"{stem}.weight", torch.Size((up.shape[0], tensor.shape[1])))
        weight = targets[f"{stem}.weight"]
        change = up.to(weight.device, torch.float32) @ tensor.to(weight.device, torch.float32)
        weight.copy_(weight.float() + lora.alpha / tensor.shape[0] * change)


def _check(targets: Mapping[str, Tensor], name: str, shape: torch.Size) -> None:
    if name not in targets or targets[name].shape != shape:
        found = tuple(targets[name].shape) if name in targets else "absent"
        raise WeightsError(f"the LoRA is of another network: it changes {name} {tuple(shape)}, which is {found} here")
