"""Which form of the warp runs where. All of them give what `reference.py` defines."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache
from importlib import import_module

import torch
from torch import Tensor

Kernel = Callable[[Tensor, Tensor, float], tuple[Tensor, Tensor, Tensor]]
_log = logging.getLogger(__name__)


def kernel_for(device: torch.device | str) -> Kernel:
    """Return the form of `warp_frames` that runs on `device`."""
    return _load(kernel_name(device))


def snap_for(device: torch.device | str) -> Callable[[Tensor, float], Tensor]:
    """Return the form of `prepare.snap_edges` that runs on `device`."""
    form = "native_form" if kernel_name(device) == "native" else "prepare"
    return import_module(f"model.warp.{form}").snap_edges


def kernel_name(device: torch.device | str = "cpu") -> str:
    """Name the kernel that `gapw` uses on `device`; part of the model version, since kernels differ in the last bits.

    returns  "native" (C++, CPU only, when it was built), "triton" (CUDA, when it is installed and gives here what the
             torch form gives) or "torch"
    """
    device = torch.device(device)
    if device.type == "cpu":
        return "native" if _native_is_built() else "torch"
    return "triton" if device.type == "cuda" and _triton_agrees(device.type) else "torch"


@cache
def _native_is_built() -> bool:
    try:
        import_module("model.warp._native")
    except ImportError as missing:
        _log.warning(
            "the warp runs in torch on the CPU, about ten times slower: `pip install .` builds it (%s)", missing
        )
        return False
    return True


@cache
def _triton_agrees(device: str) -> bool:
    try:
        triton_form = import_module("model.warp.triton_form")
    except ImportError:
        return False
    agrees: bool = triton_form.agrees_with_torch(device)
    return agrees


@cache
def _load(name: str) -> Kernel:
    _log.info("warp kernel: %s", name)
    return import_module(f"model.warp.{name}_form").warp_frames
