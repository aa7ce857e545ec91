from __future__ import annotations

import sys

import pytest

from service.models import model_version as module
from service.models.model_version import model_version


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A copy of a model, small."""
    for name in ("convert.py", "weights/lite.safetensors", "train/loop.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    monkeypatch.setattr(module, "model_folder", lambda: tmp_path)
    return tmp_path


def version() -> str:
    model_version.cache_clear()
    try:
        return model_version()
    finally:
        model_version.cache_clear()


@pytest.mark.parametrize("name", ["convert.py", "weights/lite.safetensors"])
def test_it_changes_with_code_and_weights(folder, name):
    before = version()
    assert version() == before
    (folder / name).write_text("other")
    assert version() != before


def test_it_does_not_change_with_training_code(folder):
    before = version()
    (folder / "train/loop.py").write_text("other")
    assert version() == before


def test_it_begins_with_the_product_version():
    assert version().startswith(module.product_version() + "+")


def test_it_is_known_quickly_and_is_one_token():
    assert " " not in version()
    assert sys.getsizeof(version()) < 200
