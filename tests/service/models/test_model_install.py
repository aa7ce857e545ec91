"""Whatever goes wrong while a model is added, the store holds all of it or nothing."""

from __future__ import annotations

import functools
import hashlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

pytest.importorskip("transformers")

from model.depth.model_folder import CONFIG, MODEL_FILES, PREPROCESSOR, WEIGHTS, FileRecord, record_of
from model.depth.model_store import ModelStore
from model.errors import InvalidInputError, WeightsError
from service.models.known_models import KnownModel
from service.models.model_download import DownloadError
from service.models.model_install import Terms, add_from_folder, add_known
from service.runtime_dir import InstanceLock
from tests.depth_models import PREPROCESSORS, save_model

ROOT = Path(__file__).parents[3]
FREE = Terms(license="Apache-2.0")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as a user finds it."""
    return save_model(tmp_path_factory.mktemp("downloads") / "tiny-hf")


@pytest.fixture
def store(tmp_path) -> ModelStore:
    return ModelStore(tmp_path / "store")


@pytest.fixture
def copy(source, tmp_path) -> Path:
    """The same folder, to be damaged."""
    folder = tmp_path / "copy"
    folder.mkdir()
    for file in MODEL_FILES:
        (folder / file).write_bytes((source / file).read_bytes())
    return folder


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def home(tmp_path, source) -> Iterator[str]:
    """A public home of our own on this machine, which serves `source` as known() names it."""
    published = tmp_path / "www" / "maker" / "tiny-hf" / "resolve" / "abc123"
    published.parent.mkdir(parents=True)
    published.symlink_to(source)
    handler = functools.partial(QuietHandler, directory=str(tmp_path / "www"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
        thread.join()


def known(source: Path, **changes) -> KnownModel:
    records = tuple(record_of(source / file) for file in MODEL_FILES)
    return replace(KnownModel("tiny", "maker/tiny-hf", "abc123", "MIT", "a test", records), **changes)


def untouched(store: ModelStore) -> bool:
    """Whether the store holds neither a model nor a piece of one."""
    return store.names() == () and not any((store.path / ".partial").glob("*"))


def test_the_licence_of_the_model_card_is_taken(store, copy):
    (copy / "README.md").write_text("---\ntags:\n- depth\nlicense: apache-2.0\n---\n# Tiny\n")
    assert add_from_folder(store, "tiny", copy, Terms()).manifest.license == "Apache-2.0"


@pytest.mark.parametrize("card", [None, "# no header\nlicense: mit\n", "---\nlicense: other\n---\n"])
def test_without_a_stated_licence_the_user_must_state_one(store, copy, card):
    if card is not None:
        (copy / "README.md").write_text(card)
    with pytest.raises(InvalidInputError, match="--license SPDX"):
        add_from_folder(store, "tiny", copy, Terms())
    assert untouched(store)


def test_a_noncommercial_licence_must_be_accepted(store, source):
    with pytest.raises(InvalidInputError, match=r"CC-BY-NC-4\.0.*--accept-noncommercial"):
        add_from_folder(store, "tiny", source, Terms(license="CC-BY-NC-4.0"))
    assert untouched(store)
    accepted = Terms(license="CC-BY-NC-4.0", accept_noncommercial=True)
    assert add_from_folder(store, "tiny", source, accepted).manifest.license == "CC-BY-NC-4.0"


def test_what_the_network_predicts_can_be_said(store, source):
    assert add_from_folder(store, "tiny", source, replace(FREE, predicts="depth")).manifest.predicts == "depth"


def test_a_taken_name_is_refused_before_anything_is_copied(store, source):
    add_from_folder(store, "tiny", source, FREE)
    with pytest.raises(InvalidInputError, match="models remove tiny"):
        add_from_folder(store, "tiny", source, FREE)
    assert store.names() == ("tiny",)


def test_pickles_are_refused_with_the_reason(store, copy):
    (copy / WEIGHTS).rename(copy / "pytorch_model.bin")
    with pytest.raises(WeightsError, match=r"only pytorch_model\.bin: pickles can run any code"):
        add_from_folder(store, "tiny", copy, FREE)
    assert untouched(store)


def test_weights_in_pieces_are_refused_with_what_to_do(store, copy):
    (copy / WEIGHTS).rename(copy / "model-00001-of-00001.safetensors")
    (copy / f"{WEIGHTS}.index.json").write_text("{}")
    with pytest.raises(WeightsError, match="several pieces"):
        add_from_folder(store, "tiny", copy, FREE)


@pytest.mark.parametrize("file", MODEL_FILES)
def test_a_missing_file_is_named(store, copy, file):
    (copy / file).unlink()
    with pytest.raises(WeightsError, match=f"{file} is not there"):
        add_from_folder(store, "tiny", copy, FREE)
    assert untouched(store)


@pytest.mark.parametrize(
    ("file", "change", "named"),
    [
        (CONFIG, {"model_type": "bert"}, "bert"),
        (CONFIG, {"fusion_hidden_size": 16}, "is not the model of config"),
        (PREPROCESSOR, {"image_processor_type": "GLPNImageProcessor"}, "GLPNImageProcessor"),
    ],
)
def test_files_that_do_not_fit_each_other_leave_nothing_behind(store, copy, file, change, named):
    (copy / file).write_text(json.dumps(json.loads((copy / file).read_text()) | change))
    with pytest.raises(WeightsError, match=named):
        add_from_folder(store, "tiny", copy, FREE)
    assert untouched(store)


def test_a_preprocessor_that_feeds_the_network_what_it_cannot_take_is_found_by_trying(store, copy):
    fields = PREPROCESSORS["depth_anything"] | {"size": {"height": 7, "width": 7}, "ensure_multiple_of": 7}
    (copy / PREPROCESSOR).write_text(json.dumps(fields))
    with pytest.raises(WeightsError, match="cannot look at a frame"):
        add_from_folder(store, "tiny", copy, FREE)
    assert untouched(store)


def test_a_known_model_is_fetched_checked_and_installed(store, source, home):
    came: list[int] = []
    add_known(store, known(source), home, Terms(), came.append)
    manifest = store.open("tiny").manifest
    assert sum(came) == manifest.size_bytes
    assert manifest.origin == "maker/tiny-hf@abc123"
    assert {record.name: record for record in manifest.files} == {r.name: r for r in known(source).files}
    assert not any((store.path / ".partial").iterdir())


def test_a_noncommercial_known_model_is_not_fetched_unaccepted(store, source, home):
    bound = known(source, license="CC-BY-NC-4.0")
    with pytest.raises(InvalidInputError, match="--accept-noncommercial"):
        add_known(store, bound, home, Terms())
    assert untouched(store)
    assert add_known(store, bound, home, Terms(accept_noncommercial=True)).manifest.license == "CC-BY-NC-4.0"


def test_a_known_model_that_is_not_where_it_should_be_is_not_half_installed(store, source, home):
    with pytest.raises(DownloadError, match="404"):
        add_known(store, known(source, revision="gone"), home, Terms())
    assert store.names() == ()


def test_another_file_than_the_known_one_is_refused(store, source, home):
    config, *rest = known(source).files
    other = FileRecord(config.name, hashlib.sha256(b"other").hexdigest(), config.size_bytes)
    with pytest.raises(DownloadError, match="nothing of it is kept"):
        add_known(store, known(source, files=(other, *rest)), home, Terms())
    assert untouched(store) or list((store.path / ".partial" / "tiny").iterdir()) == []


def test_known_bytes_that_cannot_be_loaded_are_not_kept(store, copy, home, tmp_path):
    (copy / CONFIG).write_text(json.dumps({"model_type": "bert", "architectures": ["BertModel"]}))
    published = tmp_path / "www" / "maker" / "tiny-hf" / "resolve" / "bert"
    published.symlink_to(copy)
    with pytest.raises(WeightsError, match="bert"):
        add_known(store, known(copy, revision="bert"), home, Terms())
    assert untouched(store)


def test_a_download_killed_half_way_goes_on_where_it_was(store, source):
    """The first process is killed while the weights come in; the second one must ask only for the rest."""
    model, partial = known(source), store.path / ".partial" / "tiny" / WEIGHTS
    with stalling_home(source) as (home, asked):
        task = json.dumps({"store": str(store.path), "home": home, "model": asdict(model)})
        with subprocess.Popen([sys.executable, "-c", CHILD], stdin=subprocess.PIPE, text=True, cwd=ROOT) as child:
            assert child.stdin is not None
            child.stdin.write(task)
            child.stdin.close()
            deadline = time.monotonic() + 60
            while not (partial.exists() and partial.stat().st_size) and time.monotonic() < deadline:
                time.sleep(0.01)
            child.kill()
        came = partial.stat().st_size
        assert 0 < came < (source / WEIGHTS).stat().st_size
        assert store.names() == ()
        asked.clear()
        add_known(store, model, home, Terms())
        assert asked == [f"{WEIGHTS} bytes={came}-"]
    assert store.names() == ("tiny",)


def test_only_one_process_changes_the_store(store, source):
    store.path.mkdir()
    lock = InstanceLock(store.path / ".lock")
    assert lock.acquire()
    try:
        with pytest.raises(InvalidInputError, match="another process"):
            add_from_folder(store, "tiny", source, FREE)
    finally:
        lock.release()
    add_from_folder(store, "tiny", source, FREE)


def test_a_store_that_cannot_be_written_is_named(tmp_path, source):
    (tmp_path / "file").touch()
    with pytest.raises(WeightsError, match="cannot write to"):
        add_from_folder(ModelStore(tmp_path / "file" / "store"), "tiny", source, FREE)


def test_without_transformers_nothing_is_fetched_in_vain(store, source, home, monkeypatch):
    from model.depth import depth_network

    monkeypatch.setattr(depth_network, "has_transformers", lambda: False)
    with pytest.raises(WeightsError, match="pip install"):
        add_known(store, known(source), home, Terms())
    assert not store.path.exists()


CHILD = """
import json, sys
from pathlib import Path
from model.depth.model_folder import FileRecord
from model.depth.model_store import ModelStore
from service.models.known_models import KnownModel
from service.models.model_install import Terms, add_known

task = json.load(sys.stdin)
task["model"]["files"] = tuple(FileRecord(**record) for record in task["model"]["files"])
add_known(ModelStore(Path(task["store"])), KnownModel(**task["model"]), task["home"], Terms())
"""


@contextmanager
def stalling_home(source: Path) -> Iterator[tuple[str, list[str]]]:
    """A home that stops in the middle of the weights when it is asked for all of them; and what it is asked."""
    asked: list[str] = []
    stop = threading.Event()

    class Stalling(QuietHandler):
        def do_GET(self) -> None:
            name, wanted = self.path.rsplit("/", 1)[1], self.headers.get("Range", "")
            asked.append(f"{name} {wanted}".strip())
            content = (source / name).read_bytes()
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
            self.send_response(206 if wanted else 200)
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            if name == WEIGHTS and not wanted:
                self.wfile.write(content[: len(content) // 2])
                stop.wait(30)
            else:
                self.wfile.write(content[start:])

    with ThreadingHTTPServer(("127.0.0.1", 0), Stalling) as http:
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{http.server_port}", asked
        finally:
            stop.set()
            http.shutdown()
            thread.join()
