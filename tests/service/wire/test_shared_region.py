"""Objects that are shared: only what a client made for it is opened, and nothing of it outlives the client."""

from __future__ import annotations

import fcntl
import mmap
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from stereoconvert.v1 import stereo_convert_pb2

from model.errors import InvalidInputError
from service.errors import StoreNotFoundError
from service.wire.shared_region import SharedRegion, open_region
from tests.service.footprint import open_regions

SIZE = 2 * 4096
NAME = "/stereo-" + "a" * 20
SYSTEM_NAMES = Path("/dev/shm")


def at(descriptor: int, name: str = NAME, process_id: int | None = None):
    """A request for a file that a process has open, this one by default."""
    request = stereo_convert_pb2.ShareFrameStoreRequest(name=name, size_bytes=SIZE)
    request.open_file.process_id = os.getpid() if process_id is None else process_id
    request.open_file.descriptor = descriptor
    return request


@pytest.fixture
def memory_file():
    """A sealable file of memory with our name; unsealed."""
    descriptor = os.memfd_create(NAME[1:], os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(descriptor, SIZE)
    yield descriptor
    os.close(descriptor)


@pytest.mark.parametrize("is_file", [True, False])
def test_both_ends_see_the_same_memory(is_file):
    region = SharedRegion(SIZE, is_file)
    descriptor = open_region(region.request())
    region.unlink()
    with mmap.mmap(descriptor, SIZE) as other:
        region.memory[5000] = 42
        assert other[5000] == 42
    os.close(descriptor)


@pytest.mark.parametrize(
    "name",
    ["", "/other", "/stereo-", "/stereo-" + "g" * 20, "/stereo-" + "a" * 19,
     NAME + "/../x", NAME + "\n", "/etc/passwd"],
)  # fmt: skip
@pytest.mark.parametrize("is_file", [True, False])
def test_only_names_of_our_pattern_are_opened(name, is_file):
    request = at(0, name) if is_file else stereo_convert_pb2.ShareFrameStoreRequest(name=name, size_bytes=SIZE)
    with pytest.raises(InvalidInputError, match="20 hex digits"):
        open_region(request)


def test_a_name_that_is_not_here_is_not_found():
    with pytest.raises(StoreNotFoundError, match="use chunks"):
        open_region(stereo_convert_pb2.ShareFrameStoreRequest(name=NAME, size_bytes=SIZE))


def test_a_file_of_a_process_that_is_gone_is_not_found():
    ended = subprocess.Popen(["true"])
    ended.wait()
    with pytest.raises(StoreNotFoundError, match="use chunks"):
        open_region(at(3, process_id=ended.pid))


def test_a_number_that_is_not_open_is_not_found():
    with pytest.raises(StoreNotFoundError, match="use chunks"):
        open_region(at(2**32 - 1))


def test_no_other_file_of_a_process_is_opened(tmp_path):
    """Else who may speak to the service could have it write into any file that any process has open."""
    with (tmp_path / "private").open("wb") as other, pytest.raises(StoreNotFoundError, match="another container"):
        open_region(at(other.fileno()))


def test_what_is_no_memory_is_not_even_tried_to_be_opened():
    """Opening has effects of its own: on terminals, tapes, pipes. A socket says so, it cannot be opened at all."""
    with socket.socket() as other, pytest.raises(StoreNotFoundError, match="another container"):
        open_region(at(other.fileno()))


def test_a_file_of_memory_with_another_name_is_not_opened():
    region = SharedRegion(SIZE)
    with pytest.raises(StoreNotFoundError, match="another container"):
        open_region(at(region.fileno()))
    region.unlink()


def test_a_file_put_in_place_of_ours_while_it_is_opened_is_refused(monkeypatch):
    ours, other = SharedRegion(SIZE), SharedRegion(SIZE)
    really_open = os.open
    monkeypatch.setattr(os, "open", lambda _, flags: really_open(f"/proc/self/fd/{other.fileno()}", flags))
    with pytest.raises(StoreNotFoundError, match="another container"):
        open_region(ours.request())
    ours.unlink()
    other.unlink()


def test_a_file_of_memory_that_may_shrink_is_refused(memory_file):
    fcntl.fcntl(memory_file, fcntl.F_ADD_SEALS, fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
    before = open_regions()
    with pytest.raises(InvalidInputError, match="F_SEAL_SHRINK"):
        open_region(at(memory_file))
    assert open_regions() == before


def test_a_client_cannot_make_its_file_smaller():
    region = SharedRegion(SIZE)
    with pytest.raises(PermissionError):
        os.ftruncate(region.fileno(), 4096)
    region.unlink()


CLIENT = """
import sys
from service.client import SharedStore
class TellingStub:
    def ShareFrameStore(self, requests):
        print(next(requests).name, flush=True)
        sys.stdin.read()  # no answer: between creating and unlinking, for ever
SharedStore(TellingStub(), 16384)
"""


def test_a_client_killed_while_it_shares_leaves_nothing():
    command = [sys.executable, "-c", CLIENT]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as client:
        assert client.stdout is not None
        name = client.stdout.readline().strip()
        client.send_signal(signal.SIGKILL)
    assert client.returncode == -signal.SIGKILL and name.startswith("/stereo-")
    assert not (SYSTEM_NAMES / name[1:]).exists()
