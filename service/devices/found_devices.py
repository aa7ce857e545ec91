"""Which devices windows run on, and what they are called; answered without loading torch."""

from __future__ import annotations

import ctypes
import os
import platform
import re
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from model.errors import InvalidInputError

DEVICE = re.compile(r"cpu|mps|cuda:\d{1,2}")


@dataclass(frozen=True)
class DeviceFacts:
    """A device as Describe shows it."""

    description: str  # the vendor's name
    memory_bytes: int  # total; 0 when unknown


def resolve_devices(names: tuple[str, ...]) -> list[str]:
    """Replace "auto" by the first GPU, or by the processor where torch can use none.

    Raises InvalidInputError for a name that is no device, a device that is not here, or one that comes twice.
    """
    devices = []
    for name in names:
        device = ("cuda:0" if cuda_device_count() else "cpu") if name == "auto" else name
        device = "cuda:0" if device == "cuda" else device
        if not DEVICE.fullmatch(device):
            raise InvalidInputError(f"device {name!r} is unknown; use auto, cpu, cuda:0, cuda:1, ... or mps")
        if (reason := _why_not_here(device)) is not None:
            raise InvalidInputError(f"device {device} is not here: {reason}; use auto, or cpu")
        if device in devices:
            raise InvalidInputError(f"device {device} is named twice")
        devices.append(device)
    return devices


def _why_not_here(device: str) -> str | None:
    """None when it is here, or when only torch could tell, as of AMD's GPUs."""
    if device == "mps" and sys.platform != "darwin":
        return "only macOS has it"
    if not device.startswith("cuda") or "rocm" in torch_version():
        return None
    if torch_version().endswith("+cpu"):
        return "the installed torch is built for the processor only"
    count = cuda_device_count()
    return None if int(device.removeprefix("cuda:")) < count else f"the driver offers {count} CUDA devices"


def cuda_device_count() -> int:
    """CUDA devices that the driver offers; 0 when the installed torch could not use them."""
    if torch_version().endswith("+cpu"):
        return 0
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return 0
    count = ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return 0
    return count.value


def torch_version() -> str:
    """Version of the installed torch, "" when there is none."""
    try:
        return version("torch")
    except PackageNotFoundError:
        return ""


def device_facts(device: str) -> DeviceFacts:
    """What Describe says about a device; a GPU's name is known once torch has been loaded."""
    if device == "cpu":
        return DeviceFacts(_processor_name(), os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    torch = sys.modules.get("torch")
    if torch is None or not device.startswith("cuda") or not torch.cuda.is_available():
        return DeviceFacts("", 0)
    properties = torch.cuda.get_device_properties(device)
    return DeviceFacts(properties.name, properties.total_memory)


def _processor_name() -> str:
    try:
        found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found.group(1) if found else platform.processor() or platform.machine()
