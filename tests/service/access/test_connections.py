"""Who only connects: many of them shut nobody out who is there, or who comes by the other door."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from contextlib import ExitStack, suppress

import grpc
import pytest

from service.access.auth import read_token
from service.access.connections import FILES_A_CONNECTION, door_options
from service.client import ServiceClient

HTTP2_GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))  # and empty settings


def knock(service, said: bytes) -> socket.socket:
    """Connect to the TCP port as somebody who has no token."""
    connection = socket.create_connection(("127.0.0.1", service.running.port), 60)
    with suppress(OSError):  # hung up on already
        connection.sendall(said)
    return connection


def is_let_go(connection: socket.socket) -> bool:
    """Whether the service has hung up."""
    connection.settimeout(0.01)
    with suppress(TimeoutError):
        try:
            while connection.recv(4096):
                pass
        except ConnectionError:
            pass
        return True
    return False


@pytest.mark.parametrize("said", [b"", HTTP2_GREETING], ids=["silent", "greeting"])
def test_strangers_who_fill_the_tcp_port_leave_the_others_alone(start_service, eventually, said):
    service = start_service(listen="127.0.0.1:0", limits={"max_connections": 4})
    token = read_token(service.config.token_path)
    with ExitStack() as strangers, ServiceClient(f"127.0.0.1:{service.running.port}", token) as early:
        early.describe(timeout_s=60)
        crowd = [strangers.enter_context(knock(service, said)) for _ in range(40)]
        eventually(lambda: sum(map(is_let_go, crowd)) >= 40 - 3)
        with ServiceClient(service.target) as local:
            assert [client.describe(timeout_s=60).contract_version for client in (local, early)] == [1000, 1000]

    def gets_in() -> bool:
        with ServiceClient(f"127.0.0.1:{service.running.port}", token) as late, suppress(Exception):
            return late.describe().contract_version == 1000
        return False

    eventually(gets_in)


def test_who_connects_and_says_nothing_is_let_go(start_service, monkeypatch, eventually):
    monkeypatch.setattr("service.access.connections.HANDSHAKE_S", 0.2)
    with knock(start_service(listen="127.0.0.1:0"), b"") as silent:
        eventually(lambda: is_let_go(silent))


def test_who_was_let_go_for_being_idle_comes_back_with_the_next_call(start_service, monkeypatch, eventually):
    monkeypatch.setattr("service.access.connections.IDLE_S", 0.2)
    service, seen = start_service(listen="127.0.0.1:0"), []
    token = read_token(service.config.token_path)
    with ServiceClient(f"127.0.0.1:{service.running.port}", token) as client:
        client._channel.subscribe(seen.append)
        client.describe(timeout_s=60)
        eventually(lambda: grpc.ChannelConnectivity.READY in seen and seen[-1] is grpc.ChannelConnectivity.IDLE)
        assert client.describe(timeout_s=60).contract_version == 1000


RAISING = """
import json, resource
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 512))
from service.access.connections import raise_file_limit
print(json.dumps([raise_file_limit(), *resource.getrlimit(resource.RLIMIT_NOFILE), raise_file_limit()]))
"""


def test_as_many_files_as_the_system_allows_may_be_open():
    told = subprocess.run([sys.executable, "-c", RAISING], capture_output=True, text=True, check=True).stdout
    assert json.loads(told) == [512, 512, 512, 512]


def test_where_few_files_may_be_open_few_may_connect():
    few, many = (dict(door_options(1024, files, is_tcp=False)) for files in (400, 65_536))
    assert few["grpc.max_allowed_incoming_connections"] == 400 // FILES_A_CONNECTION
    assert many["grpc.max_allowed_incoming_connections"] == 1024


def test_only_at_the_tcp_port_the_idle_are_let_go():
    """A host keeps its socket open for days; gRPC's clients come back to the port when they call."""
    local, remote = (dict(door_options(1024, 65_536, is_tcp=is_tcp)) for is_tcp in (False, True))
    assert "grpc.max_connection_idle_ms" not in local
    assert remote["grpc.max_connection_idle_ms"] > 0
