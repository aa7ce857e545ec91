from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.release.audit import EXTRAS, advisories, database_answer, flawed_pins, flawed_ranges, strange_licences
from tests.release.pins import Pin, project_requirements, release_pins

ROOT = Path(__file__).parents[2]


def test_no_pin_has_a_flaw_that_is_written_down():
    assert flawed_pins(release_pins()) == []


@pytest.mark.parametrize("extra", [None, *EXTRAS])
def test_no_range_allows_a_flaw_that_is_written_down(extra):
    assert flawed_ranges(project_requirements(extra)) == []


def test_all_that_a_release_installs_may_be_used_commercially():
    assert strange_licences(list(release_pins())) == []


def test_an_old_version_is_found():
    old = {"protobuf": Pin("protobuf", Version("6.31.1"), ()), "numpy": Pin("numpy", Version("2.0"), ())}
    assert [line.split(" (")[0] for line in flawed_pins(old)] == ["protobuf 6.31.1 has CVE-2026-0994"]


@pytest.mark.parametrize(("text", "count"), [("torch>=2.4", 1), ("torch>=2.6", 0), ("torch", 2), ("Torch==2.1", 2)])
def test_a_range_is_flawed_when_its_lowest_version_is(text, count):
    assert len(flawed_ranges([Requirement(text)])) == count


def test_the_licence_of_a_gpl_package_is_strange(monkeypatch):
    stated = {"a": "GPL-3.0-only", "b": "MIT", "c": "", "d": "MPL-2.0 AND MIT", "e": "Proprietary"}
    monkeypatch.setattr("tests.release.audit.licence_of", stated.__getitem__)
    assert [line.split()[0] for line in strange_licences(list(stated))] == ["a", "c", "e"]


@pytest.mark.parametrize(
    ("report", "said", "found"),
    [
        ("", "NOT CHECKED", []),
        ("{}", "NOT CHECKED", []),
        (
            '{"dependencies": [{"name": "a", "skip_reason": "no way"}]}',
            "0 packages checked against its database, 1 NOT",
            [],
        ),
        (
            '{"dependencies": [{"name": "a", "version": "1", "vulns": [{"id": "X-1"}]}, {"name": "b", "vulns": []}]}',
            "2 packages checked against its database, 0 NOT",
            ["a 1 has X-1"],
        ),
    ],
)
def test_what_the_database_was_not_asked_is_said(report, said, found):
    sentence, vulnerable = database_answer(report)
    assert said in sentence
    assert vulnerable == found


def test_each_advisory_is_about_one_flaw_and_one_package_of_ours():
    ids = Counter(one.id for one in advisories())
    assert set(ids.values()) == {1}
    assert all(one.id.startswith("CVE-") and one.flaw for one in advisories())
    ranges = [one for extra in (None, *EXTRAS) for one in project_requirements(extra)]
    ours = {*release_pins(), *(canonicalize_name(one.name) for one in ranges)}
    assert {one.package for one in advisories()} <= ours, "what is neither pinned nor asked for is never found"


@pytest.mark.parametrize("advisory", [one for one in advisories() if one.unused], ids=lambda one: one.id)
def test_what_an_advisory_calls_unused_is_unused(advisory):
    sources = [path for part in ("model", "service") for path in (ROOT / part).rglob("*.py")]
    assert not [path.name for path in sources if advisory.unused in path.read_text().lower()]


def test_an_unused_flaw_matters_in_a_release_alone():
    assert flawed_ranges([Requirement("torch>=2.12")]) == []
    found = flawed_pins({"torch": Pin("torch", Version("2.12"), ())})
    assert [line.split(" (")[0] for line in found] == ["torch 2.12 has CVE-2025-3000"]
