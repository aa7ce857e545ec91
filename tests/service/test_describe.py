from __future__ import annotations

import pytest

from service.config import ServiceConfig
from service.describe import describe
from service.errors import ServiceUnreachableError


def test_it_prints_what_the_service_is(service, capsys):
    assert describe(None, service.config) == 0
    printed = capsys.readouterr().out
    assert "contract 1.0" in printed
    assert "model   fake-1" in printed
    assert "lite (Apache-2.0): halves" in printed


def test_nobody_there_says_how_to_start_one(runtime_dir):
    with pytest.raises(ServiceUnreachableError, match="python -m service serve"):
        describe(None, ServiceConfig(runtime_dir=runtime_dir))


def test_over_tcp_it_reads_the_token(start_service, capsys):
    remote = start_service(listen="127.0.0.1:0")
    assert describe(f"127.0.0.1:{remote.running.port}", remote.config) == 0


def test_a_wrong_token_is_said_so(start_service, tmp_path):
    remote = start_service(listen="127.0.0.1:0")
    other = tmp_path / "token"
    other.write_text("0" * 64)
    other.chmod(0o600)
    with pytest.raises(ServiceUnreachableError, match=r"refused.*token"):
        describe(f"127.0.0.1:{remote.running.port}", ServiceConfig(token_file=other))
