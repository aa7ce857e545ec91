"""The service as people install it: a wheel, `uv tool install`, a command that serves."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import grpc
import pytest
import torch

from service.client import ServiceClient

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")
WAIT_S = 500.0

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1500),
    pytest.mark.skipif(not UV.exists(), reason="needs uv in this environment: pip install uv"),
]


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """The folder of the commands that `uv tool install` made of a wheel of this tree, in a home of its own."""
    folder = tmp_path_factory.mktemp("home")
    source = folder / "source"
    for name in ("proto", "model", "service"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
    (source / "ofx_plugin").mkdir()
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE", "ofx_plugin/streaming_copy.h"):
        shutil.copyfile(ROOT / name, source / name)
    run(sys.executable, "-m", "pip", "wheel", "-q", "--no-build-isolation", "--no-deps", "-w", str(folder), str(source))
    (wheel,) = folder.glob("*.whl")
    constraints = folder / "constraints.txt"
    constraints.write_text(f"torch=={torch.__version__}\n")  # the build that this machine has, not one for CUDA
    places = {"HOME": str(folder), "UV_TOOL_DIR": str(folder / "tools"), "UV_TOOL_BIN_DIR": str(folder / "bin")}
    if links := os.environ.get("PIP_FIND_LINKS"):
        places["UV_FIND_LINKS"] = links
    python = str(Path(sys.executable).resolve())
    run(str(UV), "tool", "install", "-q", "--python", python, "--constraints", str(constraints), str(wheel), **places)
    return folder / "bin"


def run(*command: str, **environment: str) -> str:
    """Run a command that must succeed; what it printed."""
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=WAIT_S)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.fixture
def home(installed, runtime_dir) -> dict[str, str]:
    """An environment that knows nothing of the source tree."""
    return {"HOME": str(installed.parent), "STEREO_CONVERT_RUNTIME_DIR": str(runtime_dir), "PATH": os.environ["PATH"]}


def test_doctor_finds_all_that_a_service_needs(installed, home, tmp_path):
    command = [str(installed / "stereo-convert"), "doctor"]
    told = subprocess.run(command, env=home, cwd=tmp_path, capture_output=True, text=True, timeout=WAIT_S)
    assert told.returncode == 0, told.stdout + told.stderr
    assert "lite" in told.stdout


def test_it_serves_and_converts_a_window(installed, home, runtime_dir, tmp_path, small, make_frames):
    command = [str(installed / "stereo-convert-service"), "serve"]
    service = subprocess.Popen(command, env=home, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    try:
        target = f"unix:{runtime_dir}/service.sock"
        with grpc.insecure_channel(target, (("grpc.max_reconnect_backoff_ms", 200),)) as channel:
            grpc.channel_ready_future(channel).result(WAIT_S)
        with ServiceClient(target) as client:
            frames = make_frames(small, 1)
            window = client.convert(client.header(frames, small, wanted=[0]), frames, timeout_s=WAIT_S)
        assert len(window.frames[0]) == len(frames[0])
        assert (window.summary.inpainter, window.summary.device) == ("lite", "cpu")
    finally:
        service.terminate()
        _, log = service.communicate(timeout=WAIT_S)
    assert (service.returncode, log.rstrip().endswith("left")) == (0, True)
