from __future__ import annotations

import os
from pathlib import Path

import pytest

from model.errors import InvalidInputError
from service.config import MIB, ServiceConfig, ServiceLimits, default_runtime_dir


def test_the_runtime_dir_follows_the_environment_in_order():
    both = {"STEREO_CONVERT_RUNTIME_DIR": "/a", "XDG_RUNTIME_DIR": "/run/user/7"}
    assert default_runtime_dir(both) == Path("/a")
    assert default_runtime_dir({"XDG_RUNTIME_DIR": "/run/user/7"}) == Path("/run/user/7/stereo-convert")
    assert default_runtime_dir({}) == Path(f"/tmp/stereo-convert-{os.getuid()}")


def test_lock_and_token_lie_beside_the_socket():
    config = ServiceConfig(runtime_dir=Path("/r"))
    assert (config.socket_path, config.lock_path, config.token_path) == (
        Path("/r/service.sock"),
        Path("/r/service.lock"),
        Path("/r/token"),
    )


@pytest.mark.parametrize("listen", ["127.0.0.1:0", "localhost:7733", "[::1]:1", "127.8.9.1:65535"])
def test_loopback_is_allowed(listen):
    assert ServiceConfig(runtime_dir=Path("/r"), listen=listen).listen == listen


@pytest.mark.parametrize("listen", ["0.0.0.0:7733", "192.168.1.4:7733", "[::]:7733", "render-box:7733", ":7733"])
def test_any_other_address_is_refused_and_tls_is_named(listen):
    with pytest.raises(InvalidInputError, match="only over TLS"):
        ServiceConfig(runtime_dir=Path("/r"), listen=listen)


def test_any_address_is_allowed_with_tls():
    config = ServiceConfig(Path("/r"), listen="0.0.0.0:7733", tls_certificate=Path("c.pem"), tls_key=Path("k.pem"))
    assert config.listen == "0.0.0.0:7733"


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"tls_certificate": Path("c")}, "go together"),
        ({"tls_key": Path("k")}, "go together"),
        ({"tls_client_authorities": Path("a")}, "needs --tls-cert"),
        ({"tls_certificate": Path("c"), "tls_key": Path("k"), "listen": None}, "--listen HOST:PORT"),
    ],
)
def test_half_of_tls_is_refused(fields, text):
    with pytest.raises(InvalidInputError, match=text):
        ServiceConfig(**{"runtime_dir": Path("/r"), "listen": "127.0.0.1:0", **fields})


@pytest.mark.parametrize(
    "listen", ["127.0.0.1", "127.0.0.1:", "127.0.0.1:port", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:²"]
)
def test_an_address_without_a_port_is_refused(listen):
    with pytest.raises(InvalidInputError, match="HOST:PORT"):
        ServiceConfig(runtime_dir=Path("/r"), listen=listen)


def test_a_socket_path_that_the_system_cannot_take_is_refused():
    with pytest.raises(InvalidInputError, match="107 bytes"):
        ServiceConfig(runtime_dir=Path("/" + "x" * 100))


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan")])
def test_idle_exit_must_be_positive(seconds):
    with pytest.raises(InvalidInputError, match="--idle-exit"):
        ServiceConfig(runtime_dir=Path("/r"), idle_exit_s=seconds)


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf")])
def test_a_drain_must_end(seconds):
    with pytest.raises(InvalidInputError, match="--drain must be 0 s or more"):
        ServiceConfig(runtime_dir=Path("/r"), drain_s=seconds)


@pytest.mark.parametrize(
    ("field", "flag"),
    [
        ("depth_cache_bytes", "--depth-cache"),
        ("fill_cache_bytes", "--fill-cache"),
        ("latent_cache_bytes", "--latent-cache"),
        ("result_cache_bytes", "--result-cache"),
        ("disk_cache_bytes", "--cache-disk-mb"),
    ],
)
def test_a_cache_of_less_than_nothing_is_refused_by_its_flag(field, flag):
    with pytest.raises(InvalidInputError, match=f"{flag} must be 0 .off. or more; got -5 MiB"):
        ServiceLimits(**{field: -5 * MIB})
