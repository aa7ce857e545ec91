"""The service as people install it: a wheel, `uv tool install` or `pipx install`, a command that serves."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import grpc
import numpy as np
import pytest
import torch

from service.client import ServiceClient

ROOT = Path(__file__).parents[2]
INSTALLERS = ("uv", "pipx")
WAIT_S = 500.0

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """A wheel of this tree."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    for name in ("proto", "model", "service"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
    (source / "ofx_plugin").mkdir()
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE", "ofx_plugin/streaming_copy.h"):
        shutil.copyfile(ROOT / name, source / name)
    run(sys.executable, "-m", "pip", "wheel", "-q", "--no-build-isolation", "--no-deps", "-w", str(folder), str(source))
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module", params=INSTALLERS)
def installed(request, wheel, tmp_path_factory) -> Path:
    """The folder of the commands that an installer made of the wheel, in a home of its own."""
    program = Path(sys.executable).with_name(request.param)
    if not program.exists():
        pytest.skip(f"needs {request.param} in this environment: pip install {request.param}")
    home = tmp_path_factory.mktemp(f"home-{request.param}")
    constraints = home / "constraints.txt"
    constraints.write_text(f"torch=={torch.__version__}\n")  # the build that this machine has, not one for CUDA
    python = str(Path(sys.executable).resolve())
    if request.param == "uv":
        places = {"UV_TOOL_DIR": str(home / "tools"), "UV_TOOL_BIN_DIR": str(home / "bin")}
        if links := os.environ.get("PIP_FIND_LINKS"):
            places["UV_FIND_LINKS"] = links
        install = ["tool", "install", "-q", "--python", python, "--constraints", str(constraints)]
    else:
        places = {"PIPX_HOME": str(home / "tools"), "PIPX_BIN_DIR": str(home / "bin")}
        install = ["install", "--backend", "pip", "--python", python, "--pip-args", f"--constraint {constraints}"]
    run(str(program), *install, str(wheel), HOME=str(home), **places)
    return home / "bin"


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


def test_it_renders_a_clip(installed, home, tmp_path):
    left = np.random.default_rng(0).integers(0, 255, (3, 48, 64, 3), dtype=np.uint8)
    for number, picture in enumerate(left):
        cv2.imwrite(str(tmp_path / f"left_{number}.png"), picture)
    command = [str(installed / "stereo-convert"), "render", "left_%d.png", "-o", "right_%d.png", "--device", "cpu"]
    told = subprocess.run(command, env=home, cwd=tmp_path, capture_output=True, text=True, timeout=WAIT_S)
    assert told.returncode == 0, told.stdout + told.stderr
    for number, picture in enumerate(left):
        right = cv2.imread(str(tmp_path / f"right_{number}.png"))
        assert right is not None and right.shape == picture.shape
        assert (right != picture).any(), "it is seen from elsewhere"


def test_it_serves_and_converts_a_window(installed, home, runtime_dir, tmp_path, small, make_frames):
    command = [str(installed / "stereo-convert-service"), "serve"]
    service = subprocess.Popen(command, env=home, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    try:
        target = f"unix:{runtime_dir}/service.sock"
        with grpc.insecure_channel(target, (("grpc.max_reconnect_backoff_ms", 200),)) as channel:
            grpc.channel_ready_future(channel).result(WAIT_S)
        describe = [str(installed / "stereo-convert"), "describe", "--address", target]
        told = subprocess.run(describe, env=home, cwd=tmp_path, capture_output=True, text=True, timeout=WAIT_S)
        assert (told.returncode, "lite" in told.stdout) == (0, True), told.stdout + told.stderr
        with ServiceClient(target) as client:
            frames = make_frames(small, 1)
            window = client.convert(client.header(frames, small, wanted=[0]), frames, timeout_s=WAIT_S)
        assert len(window.frames[0]) == len(frames[0])
        assert (window.summary.inpainter, window.summary.device) == ("lite", "cpu")
    finally:
        service.terminate()
        _, log = service.communicate(timeout=WAIT_S)
    assert (service.returncode, log.rstrip().endswith("left")) == (0, True)
