"""Install, uninstall and archive: our two entries and nothing else, and what is installed loads."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.ofx_host import Host

pytestmark = pytest.mark.host

ROOT = Path(__file__).parents[2]
OURS = {"StereoConvert.ofx.bundle", "stereo-convert-service"}
LICENCES = {"grpc", "protobuf", "absl", "c-ares", "re2", "ssl", "zlib1g", "xxhash", "libstdc++", "stereo-convert"}


@pytest.fixture(scope="module")
def built() -> Path:
    folder = ROOT / "build" / "cmake"
    if not (folder / "cmake_install.cmake").exists():
        pytest.skip("no build/cmake; run: make bundle")
    return folder


def make(*words: str, **variables: str) -> str:
    environment = {**os.environ, **variables}
    return subprocess.run(
        ["make", "--no-print-directory", *words], cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    ).stdout


@pytest.fixture
def plugins(tmp_path: Path) -> Path:
    """A host's folder of plugins in which somebody else's lie."""
    (tmp_path / "Other.ofx.bundle").mkdir()
    return tmp_path


def test_what_is_installed_loads_and_brings_its_licences(built, plugins, plugin_binary):
    subprocess.run(["cmake", "--install", built, "--prefix", plugins], check=True, capture_output=True)
    assert {entry.name for entry in plugins.iterdir()} == OURS | {"Other.ofx.bundle"}
    with Host("resolve") as host:
        assert host.load(plugins / "StereoConvert.ofx.bundle").create("Filter").get("disparity") == 2.5
    found = [path.name for path in plugins.glob("StereoConvert.ofx.bundle/Contents/Resources/licences/*.txt")]
    assert all(any(name in file for file in found) for name in LICENCES), found


def test_uninstall_takes_ours_and_leaves_others(plugins):
    for name in OURS:
        (plugins / name).mkdir()
    make("uninstall", f"PREFIX={plugins}")
    assert [entry.name for entry in plugins.iterdir()] == ["Other.ofx.bundle"]


@pytest.mark.parametrize(
    ("variables", "folder"),
    [
        ({}, "/usr/OFX/Plugins"),
        ({"OFX_PLUGIN_PATH": "/a/b:/c"}, "/a/b"),
        ({"OFX_PLUGIN_PATH": "/a", "PREFIX": "/p"}, "/p"),
    ],
)
def test_the_folder_is_prefix_then_the_hosts_path_then_the_standards(variables, folder):
    told = make("--dry-run", "uninstall", **{"OFX_PLUGIN_PATH": "", **variables})
    assert f'"{folder}/StereoConvert.ofx.bundle"' in told


def test_the_archive_holds_the_bundle_alone(built, tmp_path):
    if shutil.which("cpack") is None:
        pytest.skip("no cpack")
    command = ["cpack", "--config", built / "CPackConfig.cmake", "-B", tmp_path]
    subprocess.run(command, check=True, capture_output=True)
    (archive,) = tmp_path.glob("StereoConvert-*.tar.gz")
    with tarfile.open(archive) as content:
        assert {name.split("/")[0] for name in content.getnames()} == {"StereoConvert.ofx.bundle"}
