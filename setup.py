"""Compile proto/ into the importable package `stereoconvert.v1`, and the native parts; the rest is pyproject.toml."""

from pathlib import Path

from grpc_tools import protoc
from pybind11.setup_helpers import Pybind11Extension
from setuptools import find_namespace_packages, setup

STUBS = Path("build/python/stereoconvert")
NATIVE_WARP = Path("model/warp/native.cpp")
NATIVE_HEADERS = sorted(str(header) for header in Path("model/warp").glob("native_*.h"))
# No contraction of a*b+c: the C++ warp cuts surfaces at exactly the same places as its definition in NumPy.
# Python's own -fwrapv would keep loops over [i + 1] from being vectorised: a third of the time of the warp.
NATIVE_FLAGS = ["-O3", "-ffp-contract=off", "-fno-trapping-math", "-fno-math-errno", "-fno-wrapv", "-pthread"]


def compile_stubs() -> None:
    """Generate the Python stubs of every .proto file; a refused file stops the installation."""
    (STUBS / "v1").mkdir(parents=True, exist_ok=True)
    for package in (STUBS, STUBS / "v1"):
        (package / "__init__.py").write_text('"""Generated from proto/ by setup.py; do not edit."""\n')
    outputs = [f"--{kind}_out={STUBS.parent}" for kind in ("python", "pyi", "grpc_python")]
    sources = sorted(str(path) for path in Path("proto").rglob("*.proto"))
    if protoc.main(["protoc", "-Iproto", *outputs, *sources]) != 0:
        raise SystemExit("protoc refused proto/ (its messages are above): mend the file that it names")


def native_modules() -> list[Pybind11Extension]:
    """The C++ warp, and the copy of frames that the plugin uses too.

    Optional: where they do not compile, torch and NumPy give the same pixels, only slower.
    """
    options = {"cxx_std": 17, "extra_compile_args": NATIVE_FLAGS, "optional": True}
    return [
        Pybind11Extension("model.warp._native", [str(NATIVE_WARP)], depends=NATIVE_HEADERS, **options),
        Pybind11Extension(
            "service.wire._pixel_copy",
            ["service/wire/pixel_copy.cpp"],
            include_dirs=["ofx_plugin"],
            depends=["ofx_plugin/streaming_copy.h"],
            **options,
        ),
    ]


compile_stubs()
setup(
    packages=[*find_namespace_packages(include=["model*", "service*"]), "stereoconvert", "stereoconvert.v1"],
    package_dir={"stereoconvert": str(STUBS)},
    ext_modules=native_modules(),
)
