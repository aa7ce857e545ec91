"""The names that other programs call stay where they are, with the arguments they have."""

from __future__ import annotations

import inspect
import tomllib
from pathlib import Path

import pytest

import model

ROOT = Path(__file__).parent.parent
SIGNATURES = {
    "gapw": ["image", "disparity", "threshold", "edge_fix_px"],
    "dual_projection": ["image", "disparity", "threshold"],
    "load_inpainter": ["name_or_path", "device"],
    "convert": ["frames", "depth", "settings"],
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_function_takes_the_published_arguments_in_order(name):
    parameters = list(inspect.signature(getattr(model, name)).parameters)
    assert parameters[: len(SIGNATURES[name])] == SIGNATURES[name]


def test_everything_in_all_is_there():
    assert [name for name in model.__all__ if not hasattr(model, name)] == []


def test_effect_identifier_never_changes():
    sources = [path.read_text() for path in (ROOT / "ofx_plugin").glob("*") if path.suffix in {".cpp", ".h"}]
    assert any('"org.stereoconvert.StereoConvert"' in source for source in sources)


def test_the_changelog_knows_this_version():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text()
