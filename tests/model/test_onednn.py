"""Compiled operations are counted in a process of their own, by what oneDNN itself tells of each it is asked for."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from model.evaluate import __main__ as evaluation
from model.onednn import OPERATIONS, keep_few_operations
from model.train import __main__ as training

VARIABLE = "ONEDNN_PRIMITIVE_CACHE_CAPACITY"
SHAPES = f"""
import sys, torch
from model.onednn import keep_few_operations
if sys.argv[1] == "few":
    keep_few_operations()
for rows in (8, *range(9, 9 + {OPERATIONS}), 8):
    torch.nn.functional.gelu(torch.ones(rows, 64))
"""


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="this torch has no oneDNN")
@pytest.mark.parametrize(("kept", "compiled"), [("few", 2), ("all", 1)])
def test_a_shape_met_long_ago_is_compiled_again_where_few_are_kept(kept, compiled):
    environment = {name: value for name, value in os.environ.items() if name != VARIABLE}
    told = subprocess.run(
        [sys.executable, "-c", SHAPES, kept],
        env={**environment, "ONEDNN_VERBOSE": "profile_create"},
        cwd=Path(__file__).parents[2],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    asked = [line for line in told.splitlines() if ",8x64," in line]
    assert len(asked) == 2
    assert sum("cache_miss" in line for line in asked) == compiled


def test_what_the_environment_says_stays(monkeypatch):
    monkeypatch.setenv(VARIABLE, "7")
    keep_few_operations()
    assert os.environ[VARIABLE] == "7"


@pytest.mark.parametrize("command", [training, evaluation])
def test_the_commands_that_meet_many_shapes_keep_few(command, monkeypatch):
    monkeypatch.setenv(VARIABLE, "")  # so that monkeypatch takes away what the command sets
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setattr("sys.argv", ["command", "no-such-thing"])
    assert command.main() == 2
    assert os.environ[VARIABLE] == str(OPERATIONS)
