"""Stereo Convert's maths: tensors in, tensors out. Imports nothing of the service, no gRPC and no user interface."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOME = {
    "gapw": "model.warp.gapw",
    "dual_projection": "model.warp.dual_projection",
    "load_inpainter": "model.sasi.inpainter",
    "load_transformer": "model.sasi.wan.weights",
    "convert": "model.conversion",
    "Settings": "model.settings",
}
__all__ = list(_HOME)


def __getattr__(name: str) -> Any:
    """Import on first use: the service starts listening before torch is loaded."""
    if name not in _HOME:
        raise AttributeError(f"module 'model' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
