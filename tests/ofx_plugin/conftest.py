"""What the plugin's tests share: its units as a Python module, and the built binary."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

BUILD = Path(__file__).parents[2] / "build"


@pytest.fixture(scope="session")
def units() -> ModuleType:
    """`_plugin_units`, built from ofx_plugin/bindings.cpp."""
    sys.path.insert(0, str(BUILD / "python"))
    return pytest.importorskip("_plugin_units", reason="run: make bundle")


@pytest.fixture(scope="session")
def plugin_binary() -> Path:
    """The binary inside the bundle."""
    binaries = list((BUILD / "StereoConvert.ofx.bundle" / "Contents").glob("Linux-*/StereoConvert.ofx"))
    if not binaries:
        pytest.skip("no bundle; run: make bundle")
    return binaries[0]
