"""A manifest says what a model is and proves that its files are that."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from model.depth.model_folder import (
    MANIFEST,
    MODEL_FILES,
    FileRecord,
    Manifest,
    ModelFolder,
    check_license,
    check_name,
    is_noncommercial,
    open_folder,
    read_json,
    record_of,
)
from model.errors import InvalidInputError, WeightsError

EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def manifest(**changes) -> Manifest:
    fields = {
        "name": "tiny", "architecture": "dpt", "predicts": "inverse-depth", "license": "MIT", "origin": "a test",
        "files": tuple(FileRecord(name, EMPTY_SHA256, 0) for name in MODEL_FILES),
    }  # fmt: skip
    return Manifest(**(fields | changes))


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "tiny"
    path.mkdir()
    for name in MODEL_FILES:
        (path / name).touch()
    (path / MANIFEST).write_text(manifest().to_json())
    return path


def test_manifest_is_read_as_it_was_written(folder):
    assert open_folder(folder).manifest == manifest()


def test_record_of_an_empty_file_has_the_well_known_hash(folder):
    assert record_of(folder / MODEL_FILES[0]) == FileRecord(MODEL_FILES[0], EMPTY_SHA256, 0)


def test_intact_files_pass(folder):
    open_folder(folder).verify()


def test_a_missing_file_is_named_with_its_size(folder):
    (folder / "model.safetensors").unlink()
    with pytest.raises(
        WeightsError, match=r"tiny is damaged: expected model\.safetensors \(0 bytes\).*models remove tiny"
    ):
        open_folder(folder).verify()


def test_a_truncated_file_is_told_by_its_size(folder):
    longer = tuple(replace(record, size_bytes=5) for record in manifest().files)
    with pytest.raises(WeightsError, match=r"of 5 bytes, found 0"):
        ModelFolder(folder, manifest(files=longer)).verify()


def test_version_changes_with_any_file_and_with_what_is_predicted_and_with_nothing_else():
    first, *rest = manifest().files
    other_file = manifest(files=(replace(first, sha256="0" * 64), *rest))
    versions = {manifest().version, other_file.version, manifest(predicts="depth").version}
    assert len(versions) == 3
    assert manifest(origin="elsewhere", license="Apache-2.0").version == manifest().version


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "-a", ".hidden", "A", "ä", "a" * 65, "a b", "a\n"])
def test_a_name_that_could_be_another_folder_is_refused(name):
    with pytest.raises(InvalidInputError, match="a-z 0-9"):
        check_name(name)


@pytest.mark.parametrize("license", ["Apache-2.0", "MIT OR Apache-2.0", "LicenseRef-own", "CC-BY-NC-4.0"])
def test_spdx_expressions_are_licences(license):
    assert check_license(license) == license


@pytest.mark.parametrize("license", ["", "see the README", "apache 2", "MIT AND"])
def test_other_texts_are_no_licences(license):
    with pytest.raises(InvalidInputError, match="SPDX"):
        check_license(license)


@pytest.mark.parametrize(
    ("license", "expected"),
    [("CC-BY-NC-4.0", True), ("CC-BY-NC-SA-4.0", True), ("MIT AND CC-BY-NC-4.0", True), ("Apache-2.0", False),
     ("NCSA", False), ("CC-BY-4.0", False)],
)  # fmt: skip
def test_noncommercial_licences_are_told_by_their_nc(license, expected):
    assert is_noncommercial(license) is expected


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"predicts": "disparity"}, "inverse-depth, depth"),
        ({"license": "whatever it is"}, "SPDX"),
        ({"files": []}, "exactly"),
        ({"colour": "red"}, "colour"),
        ({"name": "other"}, "renamed"),
        ({"files": [{"name": "config.json"}]}, "sha256"),
    ],
)
def test_a_manifest_that_cannot_be_is_damage(change, named, folder):
    fields = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps(fields | change))
    with pytest.raises(WeightsError, match=named):
        open_folder(folder)


@pytest.mark.parametrize(("content", "named"), [("{", "JSON"), ("[1]", "list"), (" " * (1 << 20) + "{}", "1048576")])
def test_a_file_that_is_no_small_json_object_is_refused(content, named, tmp_path):
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(WeightsError, match=named):
        read_json(tmp_path / "x.json")


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(WeightsError, match=r"x\.json.*No such file"):
        read_json(tmp_path / "x.json")
