"""Who is refused, and that the log says so without saying a secret."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from dataclasses import replace

import grpc
import pytest
from stereoconvert.v1 import stereo_convert_pb2

from service.access.auth import read_token
from service.client import ServiceClient, SharedStore
from service.wire.frame_store import NONCE_BYTES
from service.wire.shared_region import SharedRegion
from tests.service.window_calls import status

NOBODY = 65534
as_root = pytest.mark.skipif(
    os.getuid() != 0 or shutil.which("setpriv") is None, reason="only root can become another user"
)


class AnsweringStub:
    """A service that repeats an answer of before."""

    def __init__(self, answer) -> None:
        self._answer = answer

    def ShareFrameStore(self, requests):  # noqa: N802 - named by the proto
        return iter([self._answer])


def share(client: ServiceClient, request: stereo_convert_pb2.ShareFrameStoreRequest):
    return status(lambda: list(client.stub.ShareFrameStore(iter([request]), timeout=60)))


def as_nobody(*command: str) -> subprocess.CompletedProcess:
    """Run a command as a user who owns nothing here."""
    become = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
    return subprocess.run([*become, *command], capture_output=True, text=True)


def test_a_wrong_token_is_logged_and_neither_it_nor_the_right_one_is(start_service, caplog):
    service = start_service(listen="127.0.0.1:0")
    wrong = "f00d" * 16
    with caplog.at_level("INFO"), ServiceClient(f"127.0.0.1:{service.running.port}", wrong) as client:
        assert status(client.describe)[0] is grpc.StatusCode.UNAUTHENTICATED
    assert "without the token" in caplog.text
    assert wrong not in caplog.text
    assert read_token(service.config.token_path) not in caplog.text


def test_a_guessed_name_of_shared_memory_is_refused_and_logged(client, caplog):
    with caplog.at_level("INFO"):
        guess = stereo_convert_pb2.ShareFrameStoreRequest(name="/stereo-0123456789abcdef0123", size_bytes=16384)
        assert share(client, guess)[0] is grpc.StatusCode.NOT_FOUND
    assert "refused: NOT_FOUND" in caplog.text


def test_a_size_beyond_the_real_region_is_refused_and_logged(client, caplog):
    region = SharedRegion(16384)
    with caplog.at_level("INFO"):
        code, message = share(client, region.request(1 << 20))
    region.unlink()
    assert (code, "the object has only 16384" in message) == (grpc.StatusCode.INVALID_ARGUMENT, True)
    assert "refused: INVALID_ARGUMENT: size_bytes is 1048576" in caplog.text


@pytest.fixture(params=[True, False], ids=["file", "name"])
def foreign_region(request):
    """A region with the right name and size that belongs to another user."""
    region = SharedRegion(16384, is_file=request.param)
    os.fchown(region.fileno(), NOBODY, NOBODY)
    yield region
    region.unlink()


@as_root
def test_another_users_memory_is_refused_and_logged(client, foreign_region, caplog):
    with caplog.at_level("INFO"):
        code, message = share(client, foreign_region.request())
    assert (code, "must belong to the service's user" in message) == (grpc.StatusCode.INVALID_ARGUMENT, True)
    assert "refused: INVALID_ARGUMENT" in caplog.text


def _other_namespace() -> list[str]:
    """What starts a command where processes have other numbers; empty where this user may not."""
    unshare = ["unshare", "--pid", "--fork"]
    may = shutil.which("unshare") and subprocess.run([*unshare, "true"], capture_output=True).returncode == 0
    return unshare if may else []


SHARING_CLIENT = """
import sys, grpc
from service.client import ServiceClient, SharedStore
try:
    SharedStore(ServiceClient(sys.argv[1]).stub, 16384)
except grpc.RpcError as refused:
    print(refused.code().name)
"""


@pytest.mark.skipif(not _other_namespace(), reason="needs the right to make a namespace of processes")
def test_a_client_in_another_container_is_told_to_use_chunks_and_the_log_tells_why(service, caplog):
    command = [*_other_namespace(), sys.executable, "-c", SHARING_CLIENT, service.target]
    with caplog.at_level("INFO"):
        assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "NOT_FOUND\n"
    assert "no such memory open here (another container or machine?); use chunks" in caplog.text


@as_root
def test_another_user_does_not_reach_the_socket_even_by_its_name(service):
    path = str(service.config.socket_path)
    connect = f"import socket; socket.socket(socket.AF_UNIX).connect({path!r})"
    python = os.path.realpath(sys.executable)
    if as_nobody(python, "-c", "pass").returncode != 0:
        python = "/usr/bin/python3"  # this interpreter lies in a folder that is closed to others
    os.chmod(service.config.runtime_dir, 0o755)  # even if its folder were open, the socket's own mode holds
    refused = as_nobody(python, "-c", connect)
    os.chmod(service.config.runtime_dir, 0o700)
    assert "PermissionError" in refused.stderr


def test_no_two_proofs_are_alike_and_an_old_one_proves_nothing(client):
    first, second = (SharedStore(client.stub, 16384) for _ in range(2))
    assert first.store_id != second.store_id
    answers = [store.region.memory[NONCE_BYTES : 2 * NONCE_BYTES] for store in (first, second)]
    assert answers[0] != answers[1]
    replayed = stereo_convert_pb2.ShareFrameStoreResponse(
        store_id=first.store_id, client_nonce=first.region.memory[:NONCE_BYTES], service_nonce=answers[0]
    )
    with pytest.raises(ConnectionError, match="use chunks"):
        SharedStore(AnsweringStub(replayed), 16384)  # pyright: ignore[reportArgumentType]
    for store in (first, second):
        store.close()


def test_a_client_whose_memory_is_refused_leaves_no_thread_behind(start_service, eventually):
    service = start_service(limits={"max_stores": 0})
    with ServiceClient(service.target) as client:
        client.describe(timeout_s=60)
        before = threading.active_count()
        assert status(lambda: SharedStore(client.stub, 16384))[0] is grpc.StatusCode.RESOURCE_EXHAUSTED
        eventually(lambda: threading.active_count() <= before)


def test_more_calls_at_once_than_allowed_are_told_when_to_come_back_and_the_log_tells(service, client, small, caplog):
    service.shop.admission.max_calls = 1
    store = SharedStore(client.stub, 16384)  # a call that lasts
    with caplog.at_level("INFO"), pytest.raises(grpc.RpcError) as refused:
        client.convert(client.header([bytes(48)], small), [bytes(48)])
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert re.search(r"retry-after-ms', value='[1-9]", str(refused.value.trailing_metadata()))
    assert "1 calls are open on this service, which is the limit" in caplog.text
    assert client.describe(timeout_s=60).contract_version == 1000  # who only asks gets an answer
    store.close()


def test_streams_that_never_say_what_they_want_end_and_give_their_places_back(start_service, small, caplog):
    service = start_service(limits={"stall_s": 0.3})
    service.shop.admission.max_calls = 4
    with ServiceClient(service.target) as client, caplog.at_level("INFO"):
        silent = threading.Event()
        streams = [method(_nothing_until(silent), timeout=60) for method in 2 * (client.stub.ConvertWindow, client.stub.ShareFrameStore)]  # fmt: skip # noqa: E501
        assert {status(lambda stream=stream: list(stream))[0] for stream in streams} == {grpc.StatusCode.DEADLINE_EXCEEDED}  # fmt: skip # noqa: E501
        service.shop.limits = replace(service.shop.limits, stall_s=60)  # a busy client is no silent one
        assert len(client.convert(client.header([bytes(48)], small), [bytes(48)]).frames) == 1
        silent.set()
    assert service.shop.admission.open_calls == 0
    assert "the stream named no store for 0.3 s" in caplog.text


def _nothing_until(event: threading.Event):
    event.wait()
    yield from ()
