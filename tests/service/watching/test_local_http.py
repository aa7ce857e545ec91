"""Any user of the machine may connect to a page: they cost a few threads, for a few seconds."""

from __future__ import annotations

import socket
import threading
import urllib.request
from contextlib import ExitStack

import pytest

from service.watching import local_http
from service.watching.metrics import Metrics


@pytest.fixture
def page():
    listening = Metrics().listen(0)
    yield listening
    listening.close()


def begin(page) -> socket.socket:
    """Connect, and say half a request."""
    connection = socket.create_connection(("127.0.0.1", page.port), 60)
    connection.sendall(b"GET /metr")
    return connection


def answers(page) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{page.port}/metrics", timeout=60) as answer:
            return b"stereo_windows_total" in answer.read()
    except OSError:  # hung up on
        return False


def test_only_so_many_are_served_at_once_and_the_others_are_hung_up_on(page, eventually):
    before = set(threading.enumerate())  # some of which may end meanwhile
    with ExitStack() as crowd:
        held = [crowd.enter_context(begin(page)) for _ in range(local_http.PLACES)]
        eventually(lambda: len(set(threading.enumerate()) - before) == local_http.PLACES)
        assert not answers(page)
        assert len(set(threading.enumerate()) - before) == local_http.PLACES
        assert len(held) == local_http.PLACES
    eventually(lambda: answers(page))


def test_who_falls_silent_is_let_go(page, monkeypatch, eventually):
    monkeypatch.setattr("service.watching.metrics._Handler.timeout", 0.2)
    with begin(page) as silent:
        assert silent.recv(1) == b""
    eventually(lambda: answers(page))


def test_a_bug_is_told_without_what_the_client_said(caplog, start_service, monkeypatch, eventually):
    service = start_service(web_port=0)
    assert service.running.page is not None
    monkeypatch.setattr("service.watching.web_page._Routes._state", lambda self: {}["secret"])
    with pytest.raises(OSError):
        urllib.request.urlopen(f"{service.running.page.address}state", timeout=60)
    eventually(lambda: "bug: a page could not be answered (KeyError)" in caplog.text)
    assert "secret" not in caplog.text
