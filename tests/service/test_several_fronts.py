"""Several services under one name: gRPC's own round robin spreads windows over them, since no window needs another."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator

import pytest

from service.access.auth import read_token
from service.client import ServiceClient

NAME = "fronts.farm"
HOSTS = ("127.0.0.1", "127.0.0.2")
A_RECORD, INTERNET, TTL_S = 1, 1, 1


def answer_to(query: bytes) -> bytes:
    """All addresses of NAME in DNS's own format (RFC 1035, 4.1); no records of any other type."""
    question = query[12:]
    end = question.index(0) + 5  # name, its final zero, type, class
    wants_addresses = struct.unpack("!H", question[end - 4 : end - 2])[0] == A_RECORD
    hosts = HOSTS if wants_addresses else ()
    header = query[:2] + struct.pack("!HHHHH", 0x8180, 1, len(hosts), 0, 0)
    records = [
        struct.pack("!HHHIH", 0xC00C, A_RECORD, INTERNET, TTL_S, 4) + socket.inet_aton(host)  # 0xC00C: the name asked
        for host in hosts
    ]
    return header + question[:end] + b"".join(records)


@pytest.fixture
def name_server() -> Iterator[int]:
    """A name server that knows NAME alone; its port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))

        def serve() -> None:
            while (asked := server.recvfrom(4096))[0]:
                server.sendto(answer_to(asked[0]), asked[1])

        thread = threading.Thread(target=serve)
        thread.start()
        port = server.getsockname()[1]
        yield port
        server.sendto(b"", ("127.0.0.1", port))
        thread.join()


@pytest.fixture
def fronts(start_service, tmp_path):
    """Two services on one port of two addresses, with one token."""
    first = start_service(listen=f"{HOSTS[0]}:0", limits={"result_cache_bytes": 0})
    tmp_path.chmod(0o700)
    listen, token_file = f"{HOSTS[1]}:{first.running.port}", first.config.token_path
    second = start_service(listen=listen, token_file=token_file, runtime_dir=tmp_path, limits={"result_cache_bytes": 0})
    return first, second


def test_windows_go_to_all_fronts_in_turn_and_past_one_that_has_left(
    fronts, name_server, small, make_frames, eventually
):
    token, port = read_token(fronts[0].config.token_path), fronts[0].running.port
    frames = make_frames(small, 1)

    def served() -> list[int]:
        return [len(front.model.windows) for front in fronts]

    with ServiceClient(f"dns://127.0.0.1:{name_server}/{NAME}:{port}", token) as client:

        def converted() -> bytes:
            return bytes(client.convert(client.header(frames, small), frames, timeout_s=60).frames[0])

        expected = converted()
        eventually(lambda: converted() == expected and min(served()) > 0)  # until both are connected
        before = served()
        assert all(converted() == expected for _ in range(12))
        assert [now - then for now, then in zip(served(), before, strict=True)] == [6, 6]
        fronts[1].call(fronts[1].running.stop(0.0))
        before = served()
        assert all(converted() == expected for _ in range(6))
        assert [now - then for now, then in zip(served(), before, strict=True)] == [6, 0]
