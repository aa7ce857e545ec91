"""Our OpenFX headers say what the standard says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.ofx_host.native import ROOT

HEADERS = ROOT / "ofx_plugin" / "openfx"
COMPILER = shutil.which("c++")
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="needs a C++ compiler")

# Names whose value is not the name without its k; copied from the standard by hand.
IRREGULAR = {
    "kOfxImageEffectPluginApi": "OfxImageEffectPluginAPI",
    "kOfxImageEffectOutputClipName": "Output",
    "kOfxImageEffectSimpleSourceClipName": "Source",
    "kOfxImageEffectPropSupportsMultipleClipDepths": "OfxImageEffectPropMultipleClipDepths",
    "kOfxImageEffectPropProjectPixelAspectRatio": "OfxImageEffectPropPixelAspectRatio",
    "kOfxImagePreMultiplied": "OfxImageAlphaPremultiplied",
    "kOfxImageUnPreMultiplied": "OfxImageAlphaUnPremultiplied",
    "kOfxImageFieldNone": "OfxFieldNone",
    "kOfxImageFieldLower": "OfxFieldLower",
    "kOfxImageFieldUpper": "OfxFieldUpper",
    "kOfxImageFieldBoth": "OfxFieldBoth",
    "kOfxImageFieldSingle": "OfxFieldSingle",
    "kOfxImageFieldDoubled": "OfxFieldDoubled",
}


def constants() -> dict[str, str]:
    """Every string constant of the standard that our headers declare."""
    found = {}
    for header in sorted(HEADERS.glob("ofx*.h")):
        found.update(re.findall(r'^#define (k\w+) "([^"]*)"', header.read_text(), re.MULTILINE))
    return found


def compiles(source: str, include: Path, tmp_path: Path) -> str:
    """What the compiler says about `source`; empty if nothing."""
    unit = tmp_path / "unit.cpp"
    unit.write_text(source)
    command = [str(COMPILER), "-std=c++17", "-Wall", "-Wextra", "-fsyntax-only", "-isystem", str(include), str(unit)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stderr


def test_every_string_is_its_name_but_for_thirteen():
    strange = {name: value for name, value in constants().items() if name != f"k{value}"}
    assert strange == IRREGULAR


@needs_compiler
def test_layouts_are_those_of_the_standard(tmp_path):
    layout = (ROOT / "tests" / "ofx_host" / "abi_layout.cpp").read_text()
    assert compiles(layout, HEADERS, tmp_path) == ""
    broken = layout.replace("MEMBER(OfxImageEffectSuiteV1, abort, 8)", "MEMBER(OfxImageEffectSuiteV1, abort, 9)")
    assert "OfxImageEffectSuiteV1::abort" in compiles(broken, HEADERS, tmp_path)


@needs_compiler
@pytest.mark.parametrize("header", sorted(path.name for path in HEADERS.glob("*.h")))
def test_each_header_stands_alone(tmp_path, header):
    assert compiles(f'#include "{header}"\n', HEADERS, tmp_path) == ""


@needs_compiler
@pytest.mark.skipif("OPENFX_INCLUDE_DIR" not in os.environ, reason="set OPENFX_INCLUDE_DIR to an SDK's include folder")
def test_constants_and_layouts_equal_those_of_the_sdk(tmp_path):
    sdk = Path(os.environ["OPENFX_INCLUDE_DIR"])
    includes = "".join(f'#include "{path.name}"\n' for path in sorted(HEADERS.glob("ofx*.h")))
    checks = "".join(
        f'static_assert(std::string_view({name}) == "{value}");\n' for name, value in sorted(constants().items())
    )
    assert compiles(f"#include <string_view>\n{includes}{checks}", sdk, tmp_path) == ""
    assert compiles((ROOT / "tests" / "ofx_host" / "abi_layout.cpp").read_text(), sdk, tmp_path) == ""
