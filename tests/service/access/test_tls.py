"""Who gets in over TLS; each case over a real socket."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace

import grpc
import pytest

from model.errors import InvalidInputError
from service.access.auth import read_token
from service.access.tls import TlsFiles, client_credentials, server_credentials
from service.client import ServiceClient
from service.describe import describe
from service.errors import ServiceUnreachableError
from tests.service.certificates import Authority
from tests.service.window_calls import status

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="the certificates are made by `openssl`")


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"), "ours")


@pytest.fixture(scope="module")
def server_files(authority) -> TlsFiles:
    return authority.sign("server")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory) -> Authority:
    return Authority(tmp_path_factory.mktemp("stranger"), "stranger")


@pytest.fixture
def remote(start_service, server_files):
    """A service that any machine could reach, were this one not alone."""

    def start(**more):
        return start_service(
            listen="0.0.0.0:0", tls_certificate=server_files.certificate, tls_key=server_files.key, **more
        )

    return start


@pytest.fixture
def mutual(remote, authority):
    return remote(tls_client_authorities=authority.certificate)


def describe_code(service, files: TlsFiles | None, token: str | None) -> grpc.StatusCode:
    """OK, or the code with which Describe fails."""
    credentials = client_credentials(files) if files is not None else None
    with ServiceClient(f"localhost:{service.running.port}", token, credentials) as client:
        try:
            client.describe(timeout_s=60)
        except grpc.RpcError as error:
            assert isinstance(error, grpc.Call)
            return error.code()
    return grpc.StatusCode.OK


def trusting(authority: Authority) -> TlsFiles:
    return TlsFiles(authorities=authority.certificate)


def test_tls_and_token_together_open_the_port(remote, authority, small, make_frames):
    service = remote()
    token, frames = read_token(service.config.token_path), make_frames(small, 1)
    with ServiceClient(f"localhost:{service.running.port}", token, client_credentials(trusting(authority))) as client:
        assert len(client.convert(client.header(frames, small), frames).frames) == 1


@pytest.mark.parametrize("token", [None, "wrong" * 5])
def test_tls_alone_is_not_enough(remote, authority, token):
    assert describe_code(remote(), trusting(authority), token) is grpc.StatusCode.UNAUTHENTICATED


def test_a_client_without_tls_learns_nothing(remote):
    service = remote()
    token = read_token(service.config.token_path)
    assert describe_code(service, None, token) in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


def test_a_client_does_not_talk_to_a_stranger(remote, stranger):
    service = remote()
    token = read_token(service.config.token_path)
    assert describe_code(service, trusting(stranger), token) is grpc.StatusCode.UNAVAILABLE


def test_with_a_client_authority_a_signed_certificate_is_needed_too(mutual, authority, stranger):
    token = read_token(mutual.config.token_path)
    other = replace(stranger.sign("intruder"), authorities=authority.certificate)
    assert describe_code(mutual, authority.sign("client"), token) is grpc.StatusCode.OK
    assert describe_code(mutual, trusting(authority), token) is grpc.StatusCode.UNAVAILABLE
    assert describe_code(mutual, other, token) is grpc.StatusCode.UNAVAILABLE
    assert describe_code(mutual, authority.sign("former", expired=True), token) is grpc.StatusCode.UNAVAILABLE
    assert describe_code(mutual, authority.sign("guest"), None) is grpc.StatusCode.UNAUTHENTICATED


def test_who_fails_to_shake_hands_stands_in_the_log(authority, server_files, runtime_dir, tmp_path, eventually):
    """A process of its own, for gRPC tells of it on stderr alone: no log file has it, and lines of JSON break."""
    log = tmp_path / "service.log"
    flags = ["--listen", "127.0.0.1:0", "--tls-cert", server_files.certificate, "--tls-key", server_files.key]
    flags += ["--tls-client-ca", authority.certificate, "--log-file", log, "--log-format", "json"]
    command = [sys.executable, "-m", "service", "serve", "--no-warm-up", "--exit-with-parent", *map(str, flags)]
    environment = {**os.environ, "STEREO_CONVERT_RUNTIME_DIR": str(runtime_dir)}

    def told() -> str:
        return " ".join(json.loads(line)["message"] for line in log.read_text().splitlines()) if log.exists() else ""

    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        eventually(lambda: "listening on port" in told())
        port = told().partition("listening on port ")[2].split()[0]
        for files in (authority.sign("past", expired=True), trusting(authority)):
            with ServiceClient(f"localhost:{port}", "any", client_credentials(files)) as client:
                assert status(lambda client=client: client.describe(timeout_s=60))[0] is grpc.StatusCode.UNAVAILABLE
        eventually(lambda: "the client's certificate is not accepted: certificate has expired" in told())
        eventually(lambda: "the client showed no certificate" in told())
        process.terminate()
        assert process.stderr is not None
        assert (process.stderr.read(), process.wait()) == (b"", 0)


def test_an_expired_service_is_not_believed(start_service, authority):
    old = authority.sign("old", expired=True)
    service = start_service(listen="127.0.0.1:0", tls_certificate=old.certificate, tls_key=old.key)
    token = read_token(service.config.token_path)
    assert describe_code(service, trusting(authority), token) is grpc.StatusCode.UNAVAILABLE


def test_describe_speaks_tls(remote, authority, capsys):
    service = remote()
    address = f"tls://localhost:{service.running.port}"
    assert describe(address, service.config, trusting(authority)) == 0
    assert "model   fake-1" in capsys.readouterr().out
    with pytest.raises(ServiceUnreachableError, match="certificates are valid"):
        describe("tls://localhost:1", service.config, trusting(authority))


def test_a_key_that_others_may_read_is_refused(authority):
    files = authority.sign("open")
    assert files.key is not None
    files.key.chmod(0o640)
    with pytest.raises(InvalidInputError, match="chmod 600"):
        server_credentials(files)


def test_files_that_do_not_fit_are_refused(authority, server_files, tmp_path):
    other = authority.sign("other")
    with pytest.raises(InvalidInputError, match="no certificate and its key"):
        server_credentials(TlsFiles(server_files.certificate, other.key))
    empty = tmp_path / "empty.pem"
    empty.touch()
    with pytest.raises(InvalidInputError, match="no certificate of an authority"):
        client_credentials(TlsFiles(authorities=empty))
    with pytest.raises(InvalidInputError, match="cannot read"):
        client_credentials(TlsFiles(authorities=tmp_path / "none"))
    with pytest.raises(InvalidInputError, match="go together"):
        TlsFiles(certificate=server_files.certificate)
    with pytest.raises(InvalidInputError, match="a server needs"):
        server_credentials(TlsFiles())
