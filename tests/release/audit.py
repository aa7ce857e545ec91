"""Audit of what a release installs: `python -m tests.release.audit`, or `make audit`.

Without a network: versions against advisories.toml, and licences. With one, also `pip-audit`, which asks a database of
vulnerabilities about each package; its absence is said, not hidden.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.release.pins import RELEASE, Pin, licence_of, project_requirements, release_pins

EXTRAS = ("video", "depth-models", "cuda", "wan", "cluster")
"""That a user may install beside the core."""

PERMISSIVE = ("Apache", "MIT", "BSD", "PSF", "Python-2.0", "Unlicense", "MPL-2.0", "MPL 2.0", "ISC", "Zlib", "HPND")
DATABASE_TIMEOUT_S = 300


@dataclass(frozen=True)
class Advisory:
    """One published flaw."""

    package: str
    fixed: Version
    id: str
    flaw: str
    unused: str = ""  # what has the flaw, where nothing of ours calls it


def advisories() -> list[Advisory]:
    """Those that are written down."""
    entries = tomllib.loads((Path(__file__).parent / "advisories.toml").read_text())["advisory"]
    return [
        Advisory(**{**entry, "package": canonicalize_name(entry["package"]), "fixed": Version(entry["fixed"])})
        for entry in entries
    ]


def flawed_pins(pins: dict[str, Pin]) -> list[str]:
    """A sentence for each pin that an advisory is about."""
    return [
        f"{one.package} {pins[one.package].version} has {one.id} ({one.flaw}); {one.fixed} or later has not"
        for one in advisories()
        if one.package in pins and pins[one.package].version < one.fixed
    ]


def flawed_ranges(requirements: list[Requirement]) -> list[str]:
    """A sentence for each requirement that would still be met by a version with a flaw that concerns us."""
    flawed = []
    for requirement in requirements:
        lowest = [Version(part.version) for part in requirement.specifier if part.operator in (">=", "==")]
        for one in advisories():
            concerns = one.package == canonicalize_name(requirement.name) and not one.unused
            if concerns and not any(version >= one.fixed for version in lowest):
                flawed.append(f"{requirement} allows {one.id} ({one.flaw}); ask for >={one.fixed}")
    return flawed


def strange_licences(names: list[str]) -> list[str]:
    """A sentence for each package whose licence is not one of PERMISSIVE."""
    found = {name: licence_of(name) for name in names}
    return [
        f"{name} is under {licence or 'no licence that it states'}"
        for name, licence in found.items()
        if "GPL" in licence.replace("LGPL", "") or not any(word in licence for word in PERMISSIVE)
    ]


def ask_database() -> tuple[str, list[str]]:
    """What pip-audit was able to check, and a sentence for each vulnerability that it found."""
    if importlib.util.find_spec("pip_audit") is None:
        return "NOT CHECKED against a database of vulnerabilities: pip install pip-audit", []
    command = [sys.executable, "-m", "pip_audit", "-r", str(RELEASE), "--require-hashes", "--disable-pip", "-f", "json"]
    asked = subprocess.run(command, capture_output=True, text=True, timeout=DATABASE_TIMEOUT_S)
    return database_answer(asked.stdout)


def database_answer(report: str) -> tuple[str, list[str]]:
    """Read pip-audit's JSON. A package that it could not ask about counts as not checked, whatever it calls success."""
    try:
        packages = json.loads(report)["dependencies"]
    except (ValueError, KeyError):
        return "NOT CHECKED against a database of vulnerabilities: pip-audit could not ask it", []
    asked = [package for package in packages if "vulns" in package]
    found = [f"{p['name']} {p['version']} has {v['id']}" for p in asked for v in p["vulns"]]
    unasked = len(packages) - len(asked)
    return f"pip-audit: {len(asked)} packages checked against its database, {unasked} NOT CHECKED", found


def main() -> int:
    """Print what was checked and found; 1 when something is to be done."""
    pins = release_pins()
    everything = [*project_requirements(), *(one for extra in EXTRAS for one in project_requirements(extra))]
    found = [*flawed_pins(pins), *flawed_ranges(everything), *strange_licences(list(pins))]
    print(
        f"{len(pins)} pinned packages and {len(everything)} ranges against {len(advisories())} advisories and licences:"
    )
    print(*(found or ["nothing found"]), sep="\n")
    said, vulnerable = ask_database()
    print(said, *vulnerable, sep="\n")
    return 1 if found or vulnerable else 0


if __name__ == "__main__":
    raise SystemExit(main())
