"""The rules that proto/ keeps: what `buf lint` would check, and a comment with every field, value and rpc."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PROTO = Path(__file__).parent.parent / "proto"
FILES = sorted(PROTO.rglob("*.proto"))


def commented_lines(source: str) -> list[tuple[str, str]]:
    """Each line of code with its comment: the one that ends it, else the block right above it."""
    lines, above = [], ""
    for line in source.splitlines():
        code, _, comment = line.partition("//")
        if not code.strip():
            above = f"{above} {comment.strip()}" if comment else ""
            continue
        lines.append((code.strip(), comment.strip() or above.strip()))
        above = ""
    return lines


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_package_equals_the_folder(path):
    package = ".".join(path.parent.relative_to(PROTO).parts)
    assert f"package {package};" in path.read_text()
    assert re.fullmatch(r"stereoconvert\.v\d+", package)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_plugin_never_registers_descriptors(path):
    assert "option optimize_for = LITE_RUNTIME;" in path.read_text()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_field_is_snake_case_and_commented(path):
    field = re.compile(r"^(?:optional |repeated )?[\w.]+ (\w+) = \d+;")
    for code, comment in commented_lines(path.read_text()):
        if (match := field.match(code)) and not code.startswith("option "):
            assert re.fullmatch(r"[a-z][a-z0-9_]*", match[1]), match[1]
            assert comment, f"{path.name}: {match[1]} says neither unit nor range nor what unset means"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_enum_values_carry_the_name_and_zero_is_unspecified(path):
    for name, body in re.findall(r"enum (\w+) \{(.*?)\n\}", path.read_text(), re.DOTALL):
        prefix = re.sub(r"(?<!^)([A-Z])", r"_\1", name).upper() + "_"
        values = re.findall(r"^\s*(\w+) = (\d+);", body, re.MULTILINE)
        assert values[0] == (prefix + "UNSPECIFIED", "0")
        assert all(value.startswith(prefix) for value, _ in values)


def test_every_rpc_states_its_messages_and_its_deadline():
    rpcs = [(c, d) for path in FILES for c, d in commented_lines(path.read_text()) if c.startswith("rpc ")]
    assert rpcs
    for code, comment in rpcs:
        name = code.split("(")[0].removeprefix("rpc ")
        assert re.search(rf"\((stream )?{name}Request\) returns \((stream )?{name}Response\);", code)
        assert "Deadline:" in comment, f"{name} does not say which deadline a client should set"
