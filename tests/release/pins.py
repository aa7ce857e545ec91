"""What requirements-release.txt pins, and what the installed packages say about themselves."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
RELEASE = ROOT / "requirements-release.txt"


@dataclass(frozen=True)
class Pin:
    """One package of the release."""

    name: str  # canonical
    version: Version
    hashes: tuple[str, ...]  # sha256, in hexadecimal


def read_pins(text: str) -> dict[str, Pin]:
    """The pins of a requirements file, by name. Raises ValueError for a line that is no pin with hashes."""
    pins = {}
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        found = re.fullmatch(r"([A-Za-z0-9._-]+)==(\S+)((?: +--hash=sha256:[0-9a-f]{64})+)", line)
        if found is None:
            raise ValueError(f"expected NAME==VERSION and --hash=sha256:... and no more; got {line[:100]!r}")
        name, version, hashes = found.groups()
        values = tuple(re.findall(r"sha256:(\w+)", hashes))
        pins[canonicalize_name(name)] = Pin(canonicalize_name(name), Version(version), values)
    return pins


def release_pins() -> dict[str, Pin]:
    """Those that are committed."""
    return read_pins(RELEASE.read_text())


def project_requirements(extra: str | None = None) -> list[Requirement]:
    """What pyproject.toml asks for, by itself or with one of its extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return [Requirement(text) for text in (project["dependencies"] if extra is None else
                                           project["optional-dependencies"][extra])]  # fmt: skip


def needs_of(name: str) -> list[Requirement]:
    """What an installed package asks for on this machine, without extras."""
    requirements = map(Requirement, distribution(name).requires or ())
    return [one for one in requirements if one.marker is None or one.marker.evaluate({"extra": ""})]


def licence_of(name: str) -> str:
    """What an installed package says of its licence: an expression, a name, or its classifiers."""
    found: Distribution = distribution(name)
    stated = found.metadata["License-Expression"] or found.metadata["License"] or ""
    classifiers = [
        line.rpartition(" :: ")[2]
        for line in found.metadata.get_all("Classifier") or ()
        if line.startswith("License :: ")
    ]
    return stated if 0 < len(stated) < 80 else "; ".join(classifiers) or stated[:80]
