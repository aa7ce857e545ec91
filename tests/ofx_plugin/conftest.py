"""What the plugin's tests share: its units as a Python module, the built binary, hosts and services."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from tests.ofx_host import ArrayClip, Effect, Host
from tests.ofx_host.private_service import BUNDLE
from tests.ofx_plugin.formula_service import FormulaModel, ServiceThread
from tests.ofx_plugin.gate import Gate

ROOT = Path(__file__).parents[2]
FORMULA_SERVICE = Path(__file__).parent / "formula_service.py"


@pytest.fixture(autouse=True)
def no_warm_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start no service for an effect that is never rendered."""
    monkeypatch.setenv("STEREO_CONVERT_WARM_UP", "0")


@pytest.fixture(scope="session")
def units() -> ModuleType:
    """`_plugin_units`, built from ofx_plugin/bindings.cpp."""
    sys.path.insert(0, str(BUNDLE.parent / "python"))
    return pytest.importorskip("_plugin_units", reason="run: make bundle")


@pytest.fixture(scope="session")
def plugin_binary() -> Path:
    """The binary inside the bundle."""
    binaries = list((BUNDLE / "Contents").glob("Linux-*/StereoConvert.ofx"))
    if not binaries:
        pytest.skip("no bundle; run: make bundle")
    return binaries[0]


@pytest.fixture
def runtime_dir(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A private runtime folder with a short path: those of sockets are limited to 107 bytes."""
    folder = Path(tempfile.mkdtemp(prefix="sc-"))
    monkeypatch.setenv("STEREO_CONVERT_RUNTIME_DIR", str(folder))
    monkeypatch.setenv("STEREO_CONVERT_CONFIG_DIR", str(folder / "config"))
    monkeypatch.delenv("STEREO_CONVERT_TRACE", raising=False)
    yield folder
    with suppress(FileNotFoundError, ValueError, ProcessLookupError):
        os.kill(int((folder / "service.lock").read_text()), signal.SIGKILL)
    shutil.rmtree(folder)


@pytest.fixture
def service(runtime_dir: Path) -> Iterator[ServiceThread]:
    """A running service whose right eyes are a formula, in this process."""
    thread = ServiceThread(runtime_dir, FormulaModel())
    yield thread
    thread.stop()


@pytest.fixture
def make_effect(plugin_binary: Path, runtime_dir: Path) -> Iterator[Callable[..., Effect]]:
    """Creates effects in hosts that are closed, and checked for broken rules, at the end."""
    hosts = []

    def make(
        personality: str = "strict",
        address: str = "",
        *,
        context: str = "Filter",
        host_changes: dict | None = None,
        **params,
    ) -> Effect:
        hosts.append(Host(personality, **(host_changes or {})))
        return hosts[-1].load(plugin_binary).create(context, address=address, **params)

    yield make
    for host in hosts:
        host.close()
        host.check()


RENDER = """
import sys
from tests.ofx_host import ArrayClip, Host
import numpy as np
host = Host(sys.argv[2])
effect = host.load(sys.argv[1]).create("Filter", address=sys.argv[3], **eval(sys.argv[4]))
frames = np.random.default_rng(0).random((5, 8, 12, 4), dtype=np.float32)
effect.set_clip("Source", ArrayClip(frames))
"""


@pytest.fixture
def host_command(plugin_binary: Path, runtime_dir: Path) -> Callable[..., list[str]]:
    """A command, for the folder ROOT, that runs code in which `effect` has five small frames."""

    def command(personality: str, address: str, code: str, **params) -> list[str]:
        return [sys.executable, "-c", RENDER + code, str(plugin_binary), personality, address, repr(params)]

    return command


@pytest.fixture
def run_host(host_command: Callable[..., list[str]]) -> Callable[..., str]:
    """Runs a `host_command` to its end; gives what it printed."""

    def run(*arguments: str, **params) -> str:
        command = host_command(*arguments, **params)
        return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60).stdout

    return run


@pytest.fixture
def local_service(runtime_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program that the plugin starts when its address is blank."""
    program = runtime_dir / "stereo-convert-service"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{FORMULA_SERVICE}" "$@"\n')
    program.chmod(0o700)
    monkeypatch.setenv("STEREO_CONVERT_SERVICE", str(program))
    return program


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    """A gate for a service's windows, open."""
    gate = Gate(tmp_path)
    yield gate
    gate.open()


@pytest.fixture(scope="session")
def shot() -> np.ndarray:
    """(30, 24, 40, 4) float32, each frame different, alpha 1."""
    frames = np.random.default_rng(3).random((30, 24, 40, 4), dtype=np.float32)
    frames[..., 3] = 1
    return frames


@pytest.fixture
def clip(shot: np.ndarray) -> ArrayClip:
    """`shot`, frames 0 to 29."""
    return ArrayClip(shot)
