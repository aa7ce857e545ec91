"""The import arrows of DESIGN.md: service → model, service → stubs ← ofx_plugin; model imports nothing of ours."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FORBIDDEN = {
    "model": {"service", "stereoconvert", "grpc", "google", "ofx_host", "examples", "tests"},
    "service": {"ofx_host", "examples", "tests"},
}
MAY_INCLUDE_GRPC = re.compile(r"(service_client|frame_wire|frame_store|settings_wire)[a-z_]*\.(cpp|h)$")


def imported_packages(source: str) -> set[str]:
    """Top-level names of all absolute imports in Python source, also those inside functions."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.split(".")[0])
    return names


def test_imports_inside_functions_are_seen():
    assert imported_packages("def f():\n    from grpc.aio import server\nimport a.b as c") == {"grpc", "a"}


@pytest.mark.parametrize("package", FORBIDDEN)
def test_package_imports_only_what_its_layer_may(package):
    files = sorted((ROOT / package).rglob("*.py"))
    assert files
    wrong = {
        str(path.relative_to(ROOT)): crossed
        for path in files
        if (crossed := imported_packages(path.read_text()) & FORBIDDEN[package])
    }
    assert not wrong


def test_grpc_and_protobuf_are_included_only_where_the_wire_is():
    wire = re.compile(r'#include\s*[<"](grpc|google/protobuf|stereoconvert/v1)', re.MULTILINE)
    files = [path for path in (ROOT / "ofx_plugin").rglob("*") if path.suffix in {".cpp", ".h"}]
    including = {path.name for path in files if wire.search(path.read_text())}
    assert including, "the wire is nowhere: the pattern of this test is out of date"
    assert not {name for name in including if not MAY_INCLUDE_GRPC.search(name)}
