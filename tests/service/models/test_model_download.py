"""A download ends with exactly the known bytes, or with an error that says what to do; against a server of our own."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from model.depth.model_folder import FileRecord
from service.models import model_download
from service.models.model_download import DownloadError, check_space, download

CONTENT = bytes(range(256)) * 4096  # 1 MiB: several blocks
RECORD = FileRecord("model.safetensors", hashlib.sha256(CONTENT).hexdigest(), len(CONTENT))


@dataclass
class Behaviour:
    """What the server does next; it answers with `content` unless told otherwise."""

    content: bytes = CONTENT
    statuses: list[int] = field(default_factory=list)  # of the next answers; then 200
    cuts: list[int] = field(default_factory=list)  # bytes after which the next answers break off
    knows_ranges: bool = True
    asked: list[str] = field(default_factory=list)  # the Range of every request, "" without one


class Handler(BaseHTTPRequestHandler):
    behaviour: Behaviour

    def do_GET(self) -> None:
        behaviour = self.behaviour
        wanted = self.headers.get("Range", "")
        behaviour.asked.append(wanted)
        if behaviour.statuses and (status := behaviour.statuses.pop(0)) != 200:
            self.send_error(status)
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and behaviour.knows_ranges else 0
        if start and start >= len(behaviour.content):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(behaviour.content) - 1}/{len(behaviour.content)}")
        body = behaviour.content[start:]
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: behaviour.cuts.pop(0)] if behaviour.cuts else body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[tuple[str, Behaviour]]:
    behaviour = Behaviour()
    handler = type("OwnHandler", (Handler,), {"behaviour": behaviour})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}/model.safetensors", behaviour
        http.shutdown()
        thread.join()


@pytest.fixture
def target(tmp_path) -> Path:
    return tmp_path / "model.safetensors"


def test_the_file_comes_whole_and_progress_adds_up(server, target):
    url, behaviour = server
    came: list[int] = []
    download(url, target, RECORD, came.append)
    assert target.read_bytes() == CONTENT
    assert sum(came) == len(CONTENT)
    assert behaviour.asked == [""]


def test_a_file_that_is_there_already_is_not_asked_for(server, target):
    url, behaviour = server
    target.write_bytes(CONTENT)
    download(url, target, RECORD)
    assert behaviour.asked == []


def test_what_an_earlier_try_left_is_kept_and_only_the_rest_fetched(server, target):
    url, behaviour = server
    target.write_bytes(CONTENT[:1000])
    came: list[int] = []
    download(url, target, RECORD, came.append)
    assert target.read_bytes() == CONTENT
    assert behaviour.asked == ["bytes=1000-"]
    assert sum(came) == len(CONTENT)


def test_a_broken_connection_goes_on_where_it_stopped(server, target):
    url, behaviour = server
    behaviour.cuts = [300_000, 200_000]
    download(url, target, RECORD)
    assert target.read_bytes() == CONTENT
    assert behaviour.asked == ["", "bytes=300000-", "bytes=500000-"]


def test_a_server_that_breaks_off_every_time_leaves_what_came_for_the_next_run(server, target):
    url, behaviour = server
    behaviour.cuts = [100_000] * 3
    with pytest.raises(DownloadError, match=r"expected 1048576 bytes, have 300000.*run the same command again"):
        download(url, target, RECORD)
    assert target.read_bytes() == CONTENT[:300_000]
    download(url, target, RECORD)
    assert target.read_bytes() == CONTENT


def test_a_server_without_ranges_sends_all_of_it_again(server, target):
    url, behaviour = server
    behaviour.knows_ranges = False
    target.write_bytes(b"x" * 1000)
    came: list[int] = []
    download(url, target, RECORD, came.append)
    assert target.read_bytes() == CONTENT
    assert sum(came) == len(CONTENT)


def test_a_file_of_other_bytes_is_not_kept(server, target):
    url, behaviour = server
    behaviour.content = CONTENT[:-1] + b"!"
    with pytest.raises(DownloadError, match=r"not the known file: expected .* sha256 .*nothing of it is kept"):
        download(url, target, RECORD)
    assert not target.exists()


def test_a_longer_file_is_given_up_at_once_and_not_kept(server, target):
    url, behaviour = server
    behaviour.content = CONTENT * 2
    with pytest.raises(DownloadError, match="expected 1048576 bytes, more came"):
        download(url, target, RECORD)
    assert not target.exists()


def test_a_shorter_file_is_incomplete(server, target):
    url, behaviour = server
    behaviour.content = CONTENT[:500]
    with pytest.raises(DownloadError, match=r"is incomplete: expected 1048576 bytes"):
        download(url, target, RECORD)


def test_a_rest_of_another_file_is_found_by_its_hash_and_not_kept(server, target):
    url, _ = server
    target.write_bytes(b"?" * 1000)
    with pytest.raises(DownloadError, match="sha256"):
        download(url, target, RECORD)
    assert not target.exists()
    download(url, target, RECORD)
    assert target.read_bytes() == CONTENT


def test_more_than_there_should_be_is_fetched_anew(server, target):
    url, behaviour = server
    target.write_bytes(CONTENT + b"tail")
    download(url, target, RECORD)
    assert target.read_bytes() == CONTENT
    assert behaviour.asked == [""]


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_is_told_at_once(server, target, status):
    url, behaviour = server
    behaviour.statuses = [status]
    with pytest.raises(DownloadError, match=f"the server answered {status}"):
        download(url, target, RECORD)
    assert len(behaviour.asked) == 1


def test_a_server_in_trouble_is_asked_again(server, target):
    url, behaviour = server
    behaviour.statuses = [503, 500]
    download(url, target, RECORD)
    assert target.read_bytes() == CONTENT


def test_a_server_that_is_not_there_is_named(target):
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as http:
        port = http.server_port
    with pytest.raises(DownloadError, match=rf"127\.0\.0\.1:{port}.*connection failed"):
        download(f"http://127.0.0.1:{port}/x", target, RECORD)


def test_a_server_that_falls_silent_does_not_hang(server, target, monkeypatch):
    url, _ = server
    monkeypatch.setattr(model_download, "TIMEOUT_S", 0.1)
    over = threading.Event()
    monkeypatch.setattr(Handler, "do_GET", lambda self: over.wait(60) and None)
    with pytest.raises(DownloadError, match="is incomplete"):
        download(url, target, RECORD)
    over.set()


def test_a_full_disk_says_so_and_how_to_go_on(server, tmp_path):
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full, the device that is always full")
    url, _ = server
    (tmp_path / "model.safetensors").symlink_to("/dev/full")
    with pytest.raises(DownloadError, match=r"is full after 0 bytes; free some space"):
        download(url, tmp_path / "model.safetensors", RECORD)


def test_too_small_a_disk_is_found_before_anything_is_fetched(tmp_path):
    check_space(tmp_path, 1)
    with pytest.raises(DownloadError, match=r"expected .* MB free in .*STEREO_CONVERT_MODELS"):
        check_space(tmp_path, 1 << 60)
