"""One text that changes whenever equal input may give other pixels; known without loading torch."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import xxhash

from model.depth.model_store import ModelStore, default_store_path
from model.sasi.fill_store import FillStore

DISTRIBUTION = "stereo-convert"
_PIXEL_FILES = {".py", ".so", ".pyd", ".safetensors", ".toml"}
_WITHOUT_INFLUENCE = {"train", "data"}
"""Folders of `model` that run only when weights are made."""


def product_version() -> str:
    """Version of the installed package, "0.0.0" in a source tree that was never installed."""
    return _installed(DISTRIBUTION, "0.0.0")


@cache
def model_version() -> str:
    """Product version and a hash of all that computes pixels: the model's code, kernels, weights, depth models, torch.

    A hash of the code costs a few milliseconds at start and needs nobody to remember to raise a number.
    """
    digest = xxhash.xxh3_64()
    for path in _pixel_files(model_folder()):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    digest.update(ModelStore(default_store_path()).fingerprint().encode())
    digest.update(FillStore(default_store_path()).fingerprint().encode())
    for library in ("torch", "numpy", "transformers", "diffusers"):
        digest.update(_installed(library, "missing").encode())
    return f"{product_version()}+{digest.hexdigest()}"


def model_folder() -> Path:
    """Where the package `model` lies."""
    found = find_spec("model")
    assert found is not None and found.origin is not None
    return Path(found.origin).parent


def _pixel_files(folder: Path) -> list[Path]:
    files = [path for path in folder.rglob("*") if path.suffix in _PIXEL_FILES]
    return sorted(path for path in files if path.relative_to(folder).parts[0] not in _WITHOUT_INFLUENCE)


def _installed(distribution: str, otherwise: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return otherwise
