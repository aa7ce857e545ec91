"""What belongs to one operating system lies behind one header, and the Windows half of it compiles."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

PLUGIN = Path(__file__).parents[2] / "ofx_plugin"
SYSTEM_HEADER = re.compile(
    r"#\s*include <(unistd|fcntl|dlfcn|spawn|signal|pthread|windows|sys/\w+|mach/\w+|TargetConditionals)\.h>"
)
MINGW = shutil.which("x86_64-w64-mingw32-g++-posix")
HEADERS = ["-I", PLUGIN, "-isystem", PLUGIN / "openfx"]
WINDOWS_PARTS = (
    "shared_region",
    "frame_arena",
    "frame_store",
    "frame_key",
    "pixel_hash_avx2",
    "pixel_hash_baseline",
    "pixels",
)
needs_mingw = pytest.mark.skipif(MINGW is None, reason="no g++-mingw-w64-x86-64-posix")


def without_grpc() -> list[Path]:
    """Sources of the plugin that need nothing which Debian has no Windows library of."""
    return [
        path
        for path in sorted(PLUGIN.glob("*.cpp"))
        if not re.match(r"(service_client|frame_wire|settings_wire|tls_diagnosis|bindings)", path.name)
    ]


def compile_for_windows(folder: Path, *arguments: str | Path) -> None:
    shutil.copy("/usr/include/xxhash.h", folder)
    (folder / "version.h").write_text('#pragma once\n#define STEREO_CONVERT_VERSION "0"\n')
    command = [MINGW, "-std=c++17", "-Wall", "-Wextra", "-Werror", *HEADERS, "-isystem", folder, *arguments]
    done = subprocess.run(list(map(str, command)), cwd=PLUGIN, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_only_the_platform_folder_includes_headers_of_a_system():
    including = {path.name for path in PLUGIN.glob("*.*") if SYSTEM_HEADER.search(path.read_text())}
    assert not including


def test_each_system_defines_all_that_the_header_declares():
    names = set(
        re.findall(
            r"^(?:\[\[nodiscard\]\] )?[\w:<>* ]+?[ *]([a-z]\w+)\(", (PLUGIN / "platform/platform.h").read_text(), re.M
        )
    )
    assert {"ownPath", "mapShared", "startDetached"} <= names
    for system in ("posix", "windows"):
        text = "".join(path.read_text() for path in (PLUGIN / "platform").glob(f"{system}_*.cpp"))
        missing = {name for name in names if not re.search(rf"^[\w:<>* ]+?[ *]{name}\(", text, re.M)}
        assert not missing, system


@needs_mingw
@pytest.mark.slow
def test_memory_processes_and_files_link_for_windows(tmp_path):
    parts = [PLUGIN / f"{name}.cpp" for name in WINDOWS_PARTS]
    windows = sorted((PLUGIN / "platform").glob("windows_*.cpp"))
    libraries = ["-lbcrypt", "-lshell32", "-static"]
    compile_for_windows(tmp_path, "-shared", "-o", tmp_path / "parts.dll", *parts, *windows, *libraries)


@needs_mingw
@pytest.mark.slow
def test_all_but_grpc_compiles_for_windows(tmp_path):
    compile_for_windows(tmp_path, "-fsyntax-only", *without_grpc())
