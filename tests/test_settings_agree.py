"""One table of settings: model.Settings, the wire and the effect panel have the same names, choices and defaults."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest
from stereoconvert.v1 import settings_pb2

from model import settings as table

ROOT = Path(__file__).parent.parent
PROTO = (ROOT / "proto/stereoconvert/v1/settings.proto").read_text()
SETTINGS = {setting.name: setting for setting in fields(table.Settings)}
KIND_ON_THE_WIRE = {float: "float", int: "uint32", bool: "bool"}
ENUMS = {
    "Output": table.OUTPUTS,
    "DepthSource": table.DEPTH_SOURCES,
    "DepthMeaning": table.DEPTH_MEANINGS,
    "RangeMode": table.RANGE_MODES,
    "FloatingWindow": table.FLOATING_WINDOWS,
    "Engine": table.ENGINES,
}


def wire_fields() -> dict[str, tuple[str, str]]:
    """Each field of message Settings: name -> (type, comment)."""
    pattern = re.compile(r"^  optional (\w+) (\w+) = \d+;\s*// (.*)$", re.MULTILINE)
    return {name: (kind, comment) for kind, name, comment in pattern.findall(PROTO)}


def test_the_wire_carries_every_setting_and_no_other():
    on_the_wire = [field.name for field in settings_pb2.Settings.DESCRIPTOR.fields]
    assert on_the_wire == list(SETTINGS)
    assert list(wire_fields()) == on_the_wire, "a field lacks its comment"


@pytest.mark.parametrize("enum", ENUMS)
def test_enum_values_are_the_choices_in_order(enum):
    values = settings_pb2.DESCRIPTOR.enum_types_by_name[enum].values
    prefix = re.sub(r"(?<!^)([A-Z])", r"_\1", enum).upper() + "_"
    names = [value.name.removeprefix(prefix).lower().replace("_", "-") for value in values]
    assert names == ["unspecified", *ENUMS[enum]]


@pytest.mark.parametrize("name", SETTINGS)
def test_type_and_default_on_the_wire_are_those_of_the_table(name):
    kind, comment = wire_fields()[name]
    default = SETTINGS[name].default
    if isinstance(default, str):
        assert tuple(SETTINGS[name].metadata["choices"]) == ENUMS[kind]
        return
    assert kind == KIND_ON_THE_WIRE[type(default)]
    stated = re.search(r"unset: (\S+)$", comment)
    assert stated, f"{name}: the comment must end with what unset means"
    assert stated.group(1) == (str(default).lower() if isinstance(default, bool) else f"{default:g}")


@pytest.mark.parametrize("name", [name for name, s in SETTINGS.items() if abs(s.metadata.get("high", 1e9)) < 1e9])
def test_range_on_the_wire_is_that_of_the_table(name):
    rules = SETTINGS[name].metadata
    assert f"{rules['low']:g}..{rules['high']:g}" in wire_fields()[name][1]


def documented_rows() -> dict[str, tuple[str, str]]:
    """docs/settings.md: name -> (values, default)."""
    row = re.compile(r"^\| [^|]+ \| `(\w+)` \| ([^|]+) \| ([^|]+) \|", re.MULTILINE)
    return {name: (values, default) for name, values, default in row.findall((ROOT / "docs/settings.md").read_text())}


def test_the_documentation_lists_every_setting_in_order():
    assert list(documented_rows()) == list(SETTINGS)


@pytest.mark.parametrize("name", SETTINGS)
def test_the_documentation_states_values_and_default(name):
    values, default = documented_rows()[name]
    rules = SETTINGS[name].metadata
    if "choices" in rules:
        assert values == ", ".join(str(choice).lower() for choice in rules["choices"])
    elif abs(rules["high"]) < 1e9:
        assert values.split()[0] == f"{rules['low']:g}..{rules['high']:g}"
    stated = SETTINGS[name].default
    assert default == (f"{stated:g}" if isinstance(stated, float) else str(stated).lower())
