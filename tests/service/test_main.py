"""What the command line sets before torch is loaded."""

import os

import pytest

from service import __main__ as program


@pytest.fixture
def run(monkeypatch):
    for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY", "ONEDNN_PRIMITIVE_CACHE_CAPACITY"):
        monkeypatch.setenv(name, "")  # so that what the program sets is undone
        monkeypatch.delenv(name)
    monkeypatch.setattr(program, "parse_command", lambda arguments: lambda: 0)
    return lambda: program.main([])


def test_threads_spin_but_briefly(run):
    assert run() == 0
    assert os.environ["GOMP_SPINCOUNT"] == "3000"


@pytest.mark.parametrize(("name", "value"), [("GOMP_SPINCOUNT", "7"), ("OMP_WAIT_POLICY", "ACTIVE")])
def test_who_says_how_threads_wait_is_heard(run, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    assert run() == 0
    assert os.environ.get("GOMP_SPINCOUNT") == ("7" if name == "GOMP_SPINCOUNT" else None)


def test_few_compiled_operations_are_kept(run, monkeypatch):
    assert run() == 0
    assert os.environ["ONEDNN_PRIMITIVE_CACHE_CAPACITY"] == "64"
    monkeypatch.setenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "500")
    assert run() == 0
    assert os.environ["ONEDNN_PRIMITIVE_CACHE_CAPACITY"] == "500"
