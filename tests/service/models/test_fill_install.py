"""`models add NAME --from FOLDER` with Wan 2.1 in the folder, and the service filling with it by name."""

import numpy as np
import pytest

pytest.importorskip("diffusers")

from model.errors import InvalidInputError, WeightsError
from model.sasi.fill_store import FillStore
from model.settings import Settings
from service.__main__ import main
from service.models.fill_install import add_fill
from service.models.model_install import Terms
from service.models.model_version import model_version
from service.stereo_model import WindowInput
from service.torch_model import TorchModel
from tests.wan_models import save_member

FREE = Terms(license="Apache-2.0")


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A folder as a user has it: the parts of the release that a fill needs, and others."""
    folder = save_member(tmp_path_factory.mktemp("downloads") / "wan")
    (folder / "text_encoder").mkdir()
    (folder / "text_encoder" / "model.safetensors").write_bytes(b"22 GB")
    (folder / "transformer" / "demo.mp4").write_bytes(b"a film")
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\nWan\n")
    return folder


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("STEREO_CONVERT_MODELS", str(tmp_path / "store"))
    (tmp_path / "store").mkdir()
    return FillStore(tmp_path / "store")


def window(name):
    frames = np.random.default_rng(0).random((1, 3, 48, 64), np.float32)
    depth = np.zeros((1, 1, 48, 64), np.float32)
    depth[..., 16:32, 20:40] = 1
    settings = Settings(window=1, depth_source="clip", disparity=10.0)
    return WindowInput(frames, depth, settings, 0, (0,), name, "")


def test_wan_from_a_folder_is_listed_verified_and_removed(store, source, capsys):
    assert main(["models", "add", "wan", "--from", str(source)]) == 0
    assert "added wan  Apache-2.0  fill network" in capsys.readouterr().out
    assert main(["models", "list"]) == 0
    assert "wan  Apache-2.0  fill network" in capsys.readouterr().out
    assert main(["models", "verify"]) == 0
    assert "wan: intact" in capsys.readouterr().out
    assert main(["models", "remove", "wan"]) == 0
    assert store.names() == ()
    assert not list((store.path / ".partial").iterdir())


def test_only_what_a_fill_reads_is_copied(store, source):
    add_fill(store, "wan", source, FREE)
    kept = {str(path.relative_to(store.path / "wan")) for path in (store.path / "wan").rglob("*") if path.is_file()}
    assert kept == {
        "transformer/config.json",
        "transformer/diffusion_pytorch_model.safetensors",
        "vae/config.json",
        "vae/diffusion_pytorch_model.safetensors",
        "null_prompt.safetensors",
        "stereo-convert.json",
    }


def test_the_service_fills_with_it_by_name_and_tells_of_it(store, source):
    add_fill(store, "wan", source, FREE)
    service = TorchModel()
    service.load("cpu")
    assert [(entry.name, entry.license) for entry in service.inventory().inpainters] == [
        ("lite", "Apache-2.0"),
        ("wan", "Apache-2.0"),
    ]
    by_name = [service.convert(window(name), "cpu", lambda *_: None) for name in ("wan", "lite")]
    assert by_name[0].retention > 0
    assert not np.array_equal(by_name[0].images, by_name[1].images)


def test_the_model_version_changes_with_what_is_added(store, source):
    model_version.cache_clear()
    before = model_version()
    add_fill(store, "wan", source, FREE)
    model_version.cache_clear()
    assert model_version() != before
    model_version.cache_clear()


def test_a_changed_file_is_found(store, source, capsys):
    add_fill(store, "wan", source, FREE)
    config = store.path / "wan" / "vae" / "config.json"
    config.write_text(config.read_text() + "\n")
    assert main(["models", "verify", "wan"]) == 1
    assert "have changed" in capsys.readouterr().out


def test_a_folder_that_cannot_fill_leaves_the_store_as_it_was(store, source, tmp_path):
    broken = save_member(tmp_path / "broken")
    (broken / "null_prompt.safetensors").unlink()
    with pytest.raises(WeightsError, match="null_prompt"):
        add_fill(store, "wan", broken, FREE)
    assert store.names() == ()
    assert not list((store.path / ".partial").iterdir())


@pytest.mark.parametrize(
    ("name", "terms", "told"),
    [
        ("lite", FREE, "already"),
        ("Wan/../x", FREE, "name"),
        ("wan", Terms(license="CC-BY-NC-4.0"), "commercially"),
    ],
)
def test_names_and_licences_are_checked_before_anything_is_copied(store, source, name, terms, told):
    with pytest.raises(InvalidInputError, match=told):
        add_fill(store, name, source, terms)
    assert not store.path.exists()


def test_a_name_is_taken_once(store, source):
    add_fill(store, "wan", source, FREE)
    with pytest.raises(InvalidInputError, match="already"):
        add_fill(store, "wan", source, FREE)


def test_a_manifest_of_another_name_is_damage(store, source, capsys):
    add_fill(store, "wan", source, FREE)
    (store.path / "wan").rename(store.path / "other")
    assert main(["models", "list"]) == 0
    assert "other  DAMAGED" in capsys.readouterr().out
    with pytest.raises(WeightsError, match="renamed"):
        store.manifest("other")
