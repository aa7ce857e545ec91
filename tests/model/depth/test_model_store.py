"""The store holds whole models or none."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from model.depth.model_folder import MANIFEST, MODEL_FILES, Manifest, record_of
from model.depth.model_store import ModelStore, default_store_path
from model.errors import InvalidInputError, WeightsError


@pytest.fixture
def store(tmp_path) -> ModelStore:
    return ModelStore(tmp_path / "store")


def put_together(store: ModelStore, name: str, content: str = "{}") -> Manifest:
    partial = store.partial(name)
    for file in MODEL_FILES:
        (partial / file).write_text(content)
    records = tuple(record_of(partial / file) for file in MODEL_FILES)
    return Manifest(name, "dpt", "inverse-depth", "MIT", "a test", records)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"STEREO_CONVERT_MODELS": "/m", "XDG_DATA_HOME": "/d"}, Path("/m")),
        ({"XDG_DATA_HOME": "/d"}, Path("/d/stereo-convert/models")),
        ({}, Path.home() / ".local/share/stereo-convert/models"),
    ],
)
def test_the_nearest_of_three_places_is_the_store(environment, expected):
    assert default_store_path(environment) == expected


def test_a_store_that_does_not_exist_is_empty(store):
    assert store.names() == ()
    assert list(store.readable()) == []
    assert not store.path.exists()


def test_what_is_being_put_together_is_no_model_yet(store):
    put_together(store, "tiny")
    assert store.names() == ()


def test_a_committed_model_is_there_with_its_manifest_and_nothing_is_left_over(store):
    manifest = put_together(store, "tiny")
    store.commit(manifest)
    assert store.names() == ("tiny",)
    assert store.open("tiny").manifest == manifest
    assert list((store.path / ".partial").iterdir()) == []


def test_files_that_changed_since_they_were_hashed_are_not_committed(store):
    manifest = put_together(store, "tiny")
    (store.partial("tiny") / "model.safetensors").write_text("[]")
    with pytest.raises(WeightsError, match="sha256"):
        store.commit(manifest)
    assert store.names() == ()


def test_an_installed_model_is_not_replaced(store):
    store.commit(put_together(store, "tiny"))
    with pytest.raises(InvalidInputError, match="models remove tiny"):
        store.commit(put_together(store, "tiny", "[]"))
    assert (store.path / "tiny" / "config.json").read_text() == "{}"


def test_a_removed_model_is_gone_and_can_be_added_again(store):
    store.commit(put_together(store, "tiny"))
    store.remove("tiny")
    assert store.names() == ()
    assert list((store.path / ".partial").iterdir()) == []
    store.commit(put_together(store, "tiny"))


def test_a_damaged_model_can_be_removed_but_not_opened(store, caplog):
    store.commit(put_together(store, "tiny"))
    (store.path / "tiny" / MANIFEST).unlink()
    with pytest.raises(WeightsError, match=r"stereo-convert\.json"):
        store.open("tiny")
    with caplog.at_level(logging.WARNING):
        assert list(store.readable()) == []
    assert "tiny is left out" in caplog.text
    store.remove("tiny")
    assert store.names() == ()


@pytest.mark.parametrize("act", ["open", "remove"])
def test_an_unknown_name_lists_what_is_installed(store, act):
    store.commit(put_together(store, "tiny"))
    with pytest.raises(InvalidInputError, match=r"'deep'.*installed: tiny"):
        getattr(store, act)("deep")


@pytest.mark.parametrize("name", ["../outside", "/", "", ".partial"])
def test_no_name_leads_out_of_the_store(store, name):
    (store.path.parent / "outside").mkdir()
    store.commit(put_together(store, "tiny"))
    for act in (store.open, store.remove, store.partial, store.drop_partial):
        with pytest.raises(InvalidInputError):
            act(name)
    assert (store.path.parent / "outside").is_dir()


def test_fingerprint_changes_with_a_model_and_comes_back_when_it_goes(store):
    empty = store.fingerprint()
    store.commit(put_together(store, "tiny"))
    first = store.fingerprint()
    store.remove("tiny")
    store.commit(put_together(store, "tiny", "[]"))
    assert len({empty, first, store.fingerprint()}) == 3
    store.remove("tiny")
    assert store.fingerprint() == empty
