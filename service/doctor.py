"""`python -m service doctor`: what is here, what is missing, and how to get it."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec

from model.errors import StereoError
from service.config import GIB, ServiceConfig
from service.devices.found_devices import cuda_device_count, device_facts, resolve_devices, torch_version
from service.runtime_dir import make_private_dir
from service.wire.frame_store import MIN_STORE_BYTES, FrameStore
from service.wire.shared_region import SharedRegion


@dataclass(frozen=True)
class Finding:
    """One line of the report."""

    subject: str
    state: str  # "ok", "note" or "MISSING"
    text: str
    remedy: str = ""


def doctor(config: ServiceConfig) -> int:
    """Print all findings; 1 when something essential is missing."""
    essential_missing = False
    for check in _CHECKS:
        for finding in check(config):
            essential_missing |= finding.state == "MISSING"
            print(f"{finding.subject:14} {finding.state:8} {finding.text}")
            if finding.remedy:
                print(f"{'':23} → {finding.remedy}")
    print("something essential is missing" if essential_missing else "everything essential is here")
    return 1 if essential_missing else 0


def _python(_: ServiceConfig) -> Iterator[Finding]:
    text = f"{platform.python_version()}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    yield Finding("python", "ok", text)


def _packages(_: ServiceConfig) -> Iterator[Finding]:
    wanted = {"torch": "torch", "numpy": "numpy", "cv2": "opencv-python-headless", "grpc": "grpcio",
              "google.protobuf": "protobuf", "safetensors": "safetensors", "tqdm": "tqdm",
              "xxhash": "xxhash"}  # fmt: skip
    missing = [package for module, package in wanted.items() if not _importable(module)]
    if missing:
        yield Finding(
            "packages", "MISSING", "not installed: " + ", ".join(missing), "run `make setup` or `pip install .`"
        )
    else:
        yield Finding("packages", "ok", f"torch {torch_version()} and all others are installed")


def _stubs(_: ServiceConfig) -> Iterator[Finding]:
    if _importable("stereoconvert.v1.stereo_convert_pb2_grpc"):
        yield Finding("stubs", "ok", "stereoconvert.v1 is compiled")
    else:
        yield Finding("stubs", "MISSING", "proto/ is not compiled", "run `make setup` or `pip install -e .`")


def _devices(config: ServiceConfig) -> Iterator[Finding]:
    for device in resolve_devices(config.devices):
        facts = device_facts(device)
        yield Finding("device", "ok", f"{device} {facts.description}, {facts.memory_bytes / GIB:.0f} GiB")
    if not cuda_device_count():
        reason = "this torch is built for the processor only" if torch_version().endswith("+cpu") else "no CUDA driver"
        yield Finding(
            "gpu", "note", f"none is used ({reason}); the processor works, many times slower",
            "with an NVIDIA card: install its driver and torch with CUDA",
        )  # fmt: skip


def _weights(_: ServiceConfig) -> Iterator[Finding]:
    from model.sasi.inpainter import load_inpainter

    try:
        inpainter = load_inpainter("lite", device="cpu")
    except (StereoError, OSError) as error:
        remedy = "restore model/weights from the release or the repository"
        yield Finding("fill lite", "MISSING", str(error), remedy)
        return
    yield Finding("fill lite", "ok", f"{inpainter.version}, {inpainter.license}: {inpainter.detail}")


def _estimators(_: ServiceConfig) -> Iterator[Finding]:
    from model.depth.estimators import available_estimators

    for estimator in available_estimators():
        yield Finding(f"depth {estimator.name}", "ok", f"{estimator.license}: {estimator.detail}")


def _shared_memory(_: ServiceConfig) -> Iterator[Finding]:
    region = SharedRegion(MIN_STORE_BYTES)
    try:
        FrameStore(region.request(), MIN_STORE_BYTES).end()
    except StereoError as error:
        remedy = "let /proc show this user's processes; until then frames travel in chunks, several times slower"
        yield Finding("shared memory", "note", str(error), remedy)
    else:
        yield Finding("shared memory", "ok", "a client that shares this process namespace can share its frames")
    finally:
        region.unlink()


def _socket_folder(config: ServiceConfig) -> Iterator[Finding]:
    try:
        make_private_dir(config.runtime_dir)
    except (StereoError, OSError) as error:
        yield Finding("socket folder", "MISSING", str(error), "set STEREO_CONVERT_RUNTIME_DIR to a folder of yours")
        return
    state = "a service runs or has run here" if config.socket_path.exists() else "no service runs"
    yield Finding("socket folder", "ok", f"{config.runtime_dir} ({state})")


_CHECKS: tuple[Callable[[ServiceConfig], Iterator[Finding]], ...] = (
    _python, _packages, _stubs, _devices, _weights, _estimators, _shared_memory, _socket_folder,
)  # fmt: skip


def _importable(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # its parent is missing
        return False
