"""The binary keeps to itself: what it shows, what it needs, and how it behaves in a process that is not its own."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from tests.ofx_host.native import BUILD_DIR

pytestmark = pytest.mark.host

ROOT = Path(__file__).parents[2]
NEEDED = {"libc.so.6", "libm.so.6"}  # and the loader
SPLIT_BEFORE_GLIBC_2_34 = {"libpthread.so.0", "libdl.so.2", "librt.so.1"}  # since then empty, and part of libc


def tool(*command: str | Path) -> str:
    return subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout


def run_python(code: str, *arguments: str | Path) -> subprocess.CompletedProcess:
    """Run code in a process of its own, with the repository importable."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)


def test_only_the_entry_points_are_exported(plugin_binary):
    symbols = {line.split()[2] for line in tool("nm", "-D", "--defined-only", plugin_binary).splitlines()}
    assert symbols == {"OfxGetNumberOfPlugins", "OfxGetPlugin", "OfxSetHost"}


@pytest.mark.skipif(not (ROOT / "build/deps/stamp").exists(), reason="linked with this machine's shared libraries")
def test_only_glibc_is_needed(plugin_binary):
    dynamic = tool("readelf", "-d", plugin_binary)
    needed = {line.split("[")[1].rstrip("]") for line in dynamic.splitlines() if "(NEEDED)" in line}
    loaders = {library for library in needed if library.startswith("ld-linux-")}
    assert needed - loaders == NEEDED | SPLIT_BEFORE_GLIBC_2_34
    assert "SYMBOLIC" in dynamic and "NODELETE" in dynamic


def test_what_glibc_once_split_off_gives_the_binary_nothing_here(plugin_binary):
    """So with glibc 2.34 and later it needs libc, libm and the loader alone."""
    if tuple(map(int, platform.libc_ver()[1].split("."))) < (2, 34):
        pytest.skip("this system still has them")
    used = re.findall(r"File: (\S+)", tool("readelf", "--version-info", "--wide", plugin_binary))
    assert not SPLIT_BEFORE_GLIBC_2_34 & set(used) and set(used) >= NEEDED


@pytest.mark.skipif(not (ROOT / "build/deps/stamp").exists(), reason="linked with this machine's shared libraries")
def test_glibc_2_28_is_enough(plugin_binary):
    """Resolve's own Linux has that; newer functions go through ofx_plugin/platform/glibc_floor.cpp."""
    told = tool(ROOT / "cmake/glibc_needed.sh", plugin_binary)
    print(told)
    major, minor = map(int, re.search(r"needs glibc (\d+)\.(\d+)", told).groups())
    assert (major, minor) <= (2, 28)


@pytest.mark.skipif("STEREO_CONVERT_OLD_GLIBC" not in os.environ, reason="names no folder with an older glibc")
@pytest.mark.parametrize(("program", "told"), [("/absent", "no executable file"), ("/bin/false", "exit code 1")])
def test_fails_in_words_with_an_older_glibc(plugin_binary, runtime_dir, monkeypatch, program, told):
    """Threads, exceptions, gRPC and the start of a process; the folder holds ld-linux and the libraries beside it."""
    monkeypatch.setenv("STEREO_CONVERT_SERVICE", program)
    old = Path(os.environ["STEREO_CONVERT_OLD_GLIBC"])
    (loader,) = old.glob("ld-linux*")
    printed = tool(loader, "--library-path", old, BUILD_DIR / "load_probe", plugin_binary)
    assert printed.splitlines()[0] != f"glibc {platform.libc_ver()[1]}" and told in printed


def test_bundle_is_laid_out_as_the_standard_asks(plugin_binary):
    contents = plugin_binary.parents[1]
    assert plugin_binary.parent.name.endswith(platform.machine().replace("x86_64", "x86-64"))
    info = [element.text for element in ElementTree.parse(contents / "Info.plist").getroot()[0]]
    assert info[info.index("CFBundleIdentifier") + 1] == "org.stereoconvert.StereoConvert"


def test_a_hundred_times_loaded_and_unloaded(plugin_binary):
    code = """
import _ctypes, ctypes, sys
for _ in range(100):
    library = ctypes.CDLL(sys.argv[1])
    assert library.OfxGetNumberOfPlugins() == 1
    _ctypes.dlclose(library._handle)
"""
    run = run_python(code, plugin_binary)
    assert run.returncode == 0, run.stderr


RENDER = """
import sys, threading
from pathlib import Path
import numpy as np
from tests.ofx_host import ArrayClip, Host
from tests.ofx_plugin.formula_service import formula
from tests.ofx_plugin.gate import Gate
host = Host("nuke")
effect = host.load(sys.argv[1]).create("Filter", address=sys.argv[2])
frames = np.random.default_rng(0).random((5, 8, 12, 4), dtype=np.float32)
effect.set_clip("Source", ArrayClip(frames))
"""

CHECK = """
assert np.array_equal(effect.render(3), formula(frames[3], 3))
host.close()
host.check()
"""

CROWD = """
import ctypes, ctypes.util, os, sys
sys.setdlopenflags(os.RTLD_NOW | os.RTLD_GLOBAL)
import grpc, ssl
from google._upb import _message
for name in ("protobuf", "grpc++", "grpc", "ssl", "crypto"):
    if path := ctypes.util.find_library(name):
        ctypes.CDLL(path, ctypes.RTLD_GLOBAL)
"""

LEAVE_IN_MID_RENDER = """
threading.Thread(target=effect.render, args=(0,), daemon=True).start()
Gate(Path(sys.argv[3])).wait_until_reached()
"""


@pytest.mark.parametrize("before", ["", CROWD], ids=["alone", "beside another grpc, protobuf and openssl"])
def test_renders_and_unloads(plugin_binary, service, before):
    run = run_python(before + RENDER + CHECK, plugin_binary, service.address)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize(
    "end", ["sys.exit(0)", "import ctypes; ctypes.CDLL(None).exit(0)", "host.close(); sys.exit(0)"]
)
def test_process_ends_with_a_render_in_flight(plugin_binary, service, gate, end):
    service.model.before_window = gate
    gate.close()
    run = run_python(RENDER + LEAVE_IN_MID_RENDER + end, plugin_binary, service.address, gate.folder)
    assert run.returncode == 0, run.stderr
    assert not gate.was_passed, "the render was under way, and the process did not wait for it"


def test_two_hosts_at_once_start_one_service(plugin_binary, local_service, runtime_dir):
    command = [sys.executable, "-c", RENDER + CHECK, str(plugin_binary), ""]
    hosts = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE) for _ in range(2)]
    assert [(host.wait(60), host.communicate()[1]) for host in hosts] == [(0, b""), (0, b"")]

    def running() -> int:
        return tool("ps", "-ww", "-eo", "args").count(f"{runtime_dir}/service.sock")

    deadline = time.monotonic() + 60
    while running() > 1 and time.monotonic() < deadline:
        time.sleep(0.1)  # one that came second finds the lock taken and leaves
    assert running() == 1
