"""requirements-release.txt is whole, hashed, and fits pyproject.toml and what the tests run with."""

from __future__ import annotations

import re
from importlib.metadata import version

import pytest
from packaging.markers import default_environment
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.release.pins import RELEASE, needs_of, project_requirements, read_pins, release_pins


def test_each_line_is_one_version_with_hashes():
    pins = release_pins()
    assert len(pins) >= len(project_requirements())
    for pin in pins.values():
        assert len(set(pin.hashes)) == len(pin.hashes) >= 1


@pytest.mark.parametrize("line", ["numpy", "numpy>=1", "numpy==1.26", "numpy==1 --hash=md5:00", "-i somewhere"])
def test_a_line_without_version_or_hash_is_refused(line):
    with pytest.raises(ValueError, match="expected NAME==VERSION"):
        read_pins(line)


def test_each_range_of_the_project_is_met():
    pins = release_pins()
    for requirement in project_requirements():
        assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)].version), requirement


@pytest.mark.parametrize("name", sorted(release_pins()))
def test_what_a_pinned_package_needs_is_pinned_in_a_version_that_fits(name):
    pins = release_pins()
    for requirement in needs_of(name):
        assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)].version), requirement


def test_the_release_has_the_versions_that_the_tests_run_with():
    different = {name: pin.version for name, pin in release_pins().items() if Version(version(name)) != pin.version}
    assert not different, default_environment()["platform_machine"]


def test_the_file_says_how_and_names_no_place():
    text = RELEASE.read_text()
    assert "--require-hashes" in text
    assert not re.search(r"https?:|file:|index-url|find-links|trusted-host|/opt|/home|/tmp", text)
