"""Finds the host's native module, which CMake builds into build/python."""

from __future__ import annotations

import importlib.util
import os
import sys
import sysconfig
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
BUILD_DIR = Path(os.environ.get("OFX_HOST_BUILD_DIR", ROOT / "build" / "python"))
EXAMPLE_PLUGIN = BUILD_DIR / "example.ofx"
HOW_TO_BUILD = "build it: cmake -S tests/ofx_host -B build/ofx_host && cmake --build build/ofx_host (or: make setup)"


def module_path() -> Path:
    """Where the native module of this Python lies, whether it exists or not."""
    return BUILD_DIR / f"_ofx_host{sysconfig.get_config_var('EXT_SUFFIX')}"


def load() -> ModuleType:
    """Import the native module once. Raises ImportError that says how to build it."""
    if "_ofx_host" in sys.modules:
        return sys.modules["_ofx_host"]
    path = module_path()
    if not path.exists():
        raise ImportError(f"the headless OpenFX host is not built: no {path}; {HOW_TO_BUILD}")
    spec = importlib.util.spec_from_file_location("_ofx_host", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["_ofx_host"] = module
    spec.loader.exec_module(module)
    return module
