from __future__ import annotations

import stat

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from model.errors import InvalidInputError
from service.access.auth import load_or_create_token, read_token
from service.client import ServiceClient


@pytest.fixture
def remote(start_service):
    """A service that also listens on loopback TCP."""
    return start_service(listen="127.0.0.1:0")


def check(channel: grpc.Channel):
    """The health call; the generated stub has no types."""
    return vars(health_pb2_grpc.HealthStub(channel))["Check"]


def target(remote) -> str:
    return f"127.0.0.1:{remote.running.port}"


def test_the_token_opens_tcp(remote, small, make_frames):
    token = read_token(remote.config.token_path)
    frames = make_frames(small, 1)
    with ServiceClient(target(remote), token) as client:
        assert client.describe(timeout_s=60).contract_version == 1000
        assert len(client.convert(client.header(frames, small), frames).frames) == 1


@pytest.mark.parametrize("token", [None, "", "wrong"], ids=["none", "empty", "wrong"])
def test_without_the_token_every_call_is_refused(remote, small, make_frames, token):
    frames = make_frames(small, 1)
    with ServiceClient(target(remote), token) as client:
        for call in (
            lambda: client.describe(timeout_s=60),
            lambda: client.convert(client.header(frames, small), frames),
        ):
            with pytest.raises(grpc.RpcError) as refused:
                call()
            assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
            assert "token file" in (refused.value.details() or "")
    assert remote.model.windows == []


def test_even_health_needs_the_token_on_tcp(remote):
    with grpc.insecure_channel(target(remote)) as channel, pytest.raises(grpc.RpcError) as refused:
        check(channel)(health_pb2.HealthCheckRequest(), timeout=60)
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED


def test_the_unix_socket_needs_no_token(remote):
    with ServiceClient(remote.target) as client:
        assert client.describe(timeout_s=60).contract_version == 1000


def test_a_new_token_is_long_private_and_stays(tmp_path):
    path = tmp_path / "token"
    token = load_or_create_token(path)
    assert len(token) == 64
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_or_create_token(path) == token


@pytest.mark.parametrize("content", ["", "short", "x" * 20 + "ä", "two\nlines of this token"])
def test_a_file_without_a_token_is_refused(tmp_path, content):
    path = tmp_path / "token"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(InvalidInputError, match="holds no token"):
        read_token(path)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_token_that_others_may_read_is_refused(tmp_path, mode):
    path = tmp_path / "token"
    path.write_text("0" * 64)
    path.chmod(mode)
    with pytest.raises(InvalidInputError, match="chmod 600"):
        read_token(path)


def test_a_missing_token_file_is_named(tmp_path):
    with pytest.raises(InvalidInputError, match="cannot read the token file"):
        read_token(tmp_path / "none")


def test_a_token_that_cannot_be_kept_is_an_error_in_our_words(tmp_path):
    with pytest.raises(InvalidInputError, match="cannot make the token file"):
        load_or_create_token(tmp_path / "none" / "token")
