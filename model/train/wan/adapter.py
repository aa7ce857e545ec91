"""What is trained of Wan 2.1: a LoRA on every matrix of the blocks, by peft, and the added input channels."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from model.errors import WeightsError
from model.sasi.wan.lora import Lora, save_lora
from model.sasi.wan.transformer import WanTransformer
from model.train.wan.config import LoraRules

TARGETS = r"blocks\.\d+\.(attention\.(qkv|out)|cross\.(query|key_value|out)|mlp\.[02])"
_ADAPTER = ".default."  # peft's name for its only adapter


def add_lora(network: WanTransformer, rules: LoraRules) -> dict[str, torch.nn.Parameter]:
    """Wrap the matrices in place; return what is trained, in float32, by the names that the LoRA's file has.

    Raises WeightsError without peft.
    """
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError as error:
        raise WeightsError("training a LoRA needs peft: pip install 'stereo-convert[train-wan]'") from error
    settings = LoraConfig(r=rules.rank, lora_alpha=rules.alpha, target_modules=TARGETS)  # type: ignore[arg-type]
    inject_adapter_in_model(settings, network)  # freezes all but the LoRA
    network.embed_condition.requires_grad_(True)
    trained = {}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
            trained[name.replace(_ADAPTER, ".")] = parameter
    return trained


@torch.no_grad()
def restore(trained: Mapping[str, Tensor], tensors: Mapping[str, Tensor]) -> None:
    """Copy tensors into what is trained, name by name. Raises WeightsError when they are of another LoRA."""
    shapes, found = ({(name, tuple(value.shape)) for name, value in both.items()} for both in (trained, tensors))
    if different := sorted(shapes ^ found):
        raise WeightsError(f"the checkpoint is of another run: {different[:3]} differ; name a new output folder")
    for name, value in tensors.items():
        trained[name].copy_(value)


def write_lora(tensors: Mapping[str, Tensor], rules: LoraRules, path: Path, detail: str) -> None:
    """Save what was trained, to lie as lora.safetensors beside the transformer."""
    save_lora(Lora(tensors, rules.alpha, {"license": "Apache-2.0", "detail": detail}), path)
