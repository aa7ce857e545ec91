"""`models list|add|remove|verify`: what it prints and how it ends."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("transformers")

from model.depth.model_folder import MODEL_FILES, WEIGHTS, record_of
from model.depth.model_store import ModelStore
from model.errors import InvalidInputError
from service.__main__ import main
from service.models.known_models import KnownModel
from service.models.model_install import Terms, add_from_folder
from service.models.model_version import model_version
from service.models.models_command import fetch_model
from tests.depth_models import save_model

FREE = Terms(license="Apache-2.0")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as a user finds it."""
    return save_model(tmp_path_factory.mktemp("downloads") / "tiny-hf")


@pytest.fixture
def store(tmp_path, monkeypatch) -> ModelStore:
    monkeypatch.setenv("STEREO_CONVERT_MODELS", str(tmp_path / "store"))
    return ModelStore(tmp_path / "store")


def test_a_model_from_a_folder_is_listed_verified_and_removed(store, source, capsys):
    assert main(["models", "add", "tiny", "--from", str(source), "--license", "Apache-2.0"]) == 0
    assert "added tiny  Apache-2.0" in capsys.readouterr().out
    assert main(["models", "list"]) == 0
    assert "tiny  Apache-2.0  0.2 MB  depth_anything, inverse-depth, from folder tiny-hf" in capsys.readouterr().out
    assert main(["models", "verify"]) == 0
    assert "tiny: intact" in capsys.readouterr().out
    assert main(["models", "remove", "tiny"]) == 0
    assert store.names() == ()


def test_nothing_is_fetched_without_yes_but_size_and_licence_are_shown(store, source, capsys):
    records = tuple(record_of(source / file) for file in MODEL_FILES)
    tiny = KnownModel("tiny", "maker/tiny-hf", "abc123", "MIT", "a test", records)
    with pytest.raises(InvalidInputError, match=r"nothing was fetched.*--yes"):
        fetch_model(store, tiny, "http://127.0.0.1:1", Terms(), yes=False)
    shown = capsys.readouterr().out
    assert "tiny  MIT  0.2 MB" in shown
    assert "http://127.0.0.1:1/maker/tiny-hf/resolve/abc123/" in shown
    assert not store.path.exists()


def test_verify_tells_a_damaged_model_from_an_intact_one(store, source, capsys):
    add_from_folder(store, "good", source, FREE)
    add_from_folder(store, "worse", source, FREE)
    weights = store.path / "worse" / WEIGHTS
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    assert main(["models", "verify"]) == 1
    good, worse = capsys.readouterr().out.splitlines()
    assert good == "good: intact, config and weights agree"
    assert "worse is damaged" in worse
    assert "models remove worse" in worse
    assert main(["models", "verify", "good"]) == 0


def test_list_shows_a_model_without_manifest_as_damaged(store, capsys):
    (store.path / "hollow").mkdir(parents=True)
    assert main(["models", "list"]) == 0
    assert "hollow  DAMAGED" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["remove", "deep"], ["verify", "deep"]])
def test_an_unknown_name_fails_with_what_is_installed(store, arguments, capsys):
    assert main(["models", *arguments]) == 1
    assert "installed: none" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["add", "deep"], ["add", "depth-anything-v2-small", "--license", "MIT"], []])
def test_a_wrong_command_line_exits_with_two(store, arguments):
    with pytest.raises(SystemExit) as left:
        main(["models", *arguments])
    assert left.value.code == 2


def test_an_added_model_changes_the_model_version(store, source):
    versions = []
    for name in (None, "tiny"):
        if name is not None:
            add_from_folder(store, name, source, FREE)
        model_version.cache_clear()
        versions.append(model_version())
    store.remove("tiny")
    model_version.cache_clear()
    versions.append(model_version())
    model_version.cache_clear()
    assert versions[0] == versions[2] != versions[1]
