"""A service on another machine: reached over TLS, and refused in words when a certificate is wrong at either end."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from service.access.tls import TlsFiles
from tests.ofx_host import RenderFailed
from tests.ofx_plugin.formula_service import FormulaModel, ServiceThread, formula
from tests.service.certificates import Authority

pytestmark = pytest.mark.host

Listening = Callable[..., ServiceThread]


def has_ipv6_loopback() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"), "ours")


@pytest.fixture(scope="module")
def other_authority(tmp_path_factory) -> Authority:
    return Authority(tmp_path_factory.mktemp("other"), "somebody-else")


@pytest.fixture(scope="module")
def certificate(authority) -> TlsFiles:
    """The service's."""
    return authority.sign("service")


@pytest.fixture
def listening(runtime_dir, certificate) -> Iterator[Listening]:
    """Starts the service on TCP, with `certificate` unless another is given."""
    running = []

    def start(files: TlsFiles = certificate, where: str = "127.0.0.1", **config) -> ServiceThread:
        config = {"tls_certificate": files.certificate, "tls_key": files.key, **config}
        running.append(ServiceThread(runtime_dir, FormulaModel(), listen=f"{where}:0", **config))
        return running[-1]

    yield start
    for service in running:
        service.stop()


@pytest.fixture
def remote_effect(make_effect, runtime_dir, clip, monkeypatch, authority):
    """The effect in Nuke, pointed to a service over TLS whose authority it believes."""
    monkeypatch.setenv("STEREO_CONVERT_TLS_CA", str(authority.certificate))

    def make(service: ServiceThread, host: str = "localhost", scheme: str = "tls://", **params):
        params = {"token_file": str(runtime_dir / "token"), **params}
        effect = make_effect("nuke", f"{scheme}{host}:{service.port}", **params)
        effect.set_clip("Source", clip)
        return effect

    return make


def show(monkeypatch, files: TlsFiles) -> None:
    """Let the plugin show this certificate."""
    monkeypatch.setenv("STEREO_CONVERT_TLS_CERT", str(files.certificate))
    monkeypatch.setenv("STEREO_CONVERT_TLS_KEY", str(files.key))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_frames_are_converted_over_tls(listening, remote_effect, shot, host):
    effect = remote_effect(listening(), host)
    np.testing.assert_array_equal(effect.render(3), formula(shot[3], 3))
    effect.check()


def test_files_of_fixed_names_need_no_path(
    listening, remote_effect, runtime_dir, shot, monkeypatch, authority, certificate
):
    service = listening(tls_client_authorities=authority.certificate)
    folder = runtime_dir / "config"  # conftest's STEREO_CONVERT_CONFIG_DIR
    (folder / "tls").mkdir(parents=True)
    shutil.copy(authority.certificate, folder / "tls" / "ca.pem")
    shutil.copy(certificate.certificate, folder / "tls" / "client.pem")
    shutil.copy(certificate.key, folder / "tls" / "client.key")
    shutil.copy(runtime_dir / "token", folder / "token")
    monkeypatch.delenv("STEREO_CONVERT_TLS_CA")
    effect = remote_effect(service, token_file="")
    np.testing.assert_array_equal(effect.render(3), formula(shot[3], 3))


def test_a_service_that_asks_for_a_certificate_gets_ours(listening, remote_effect, shot, monkeypatch, authority):
    show(monkeypatch, authority.sign("workstation"))
    effect = remote_effect(listening(tls_client_authorities=authority.certificate))
    np.testing.assert_array_equal(effect.render(3), formula(shot[3], 3))


def test_an_expired_certificate_is_named_so(listening, remote_effect, authority):
    effect = remote_effect(listening(authority.sign("expired", expired=True)))
    with pytest.raises(RenderFailed, match="its certificate has expired"):
        effect.render(3)


def test_a_certificate_of_another_authority_is_refused(listening, remote_effect, other_authority):
    effect = remote_effect(listening(other_authority.sign("foreign")))
    with pytest.raises(RenderFailed, match=r"signed by nobody in .*ours\.pem; put that of its authority into"):
        effect.render(3)


def test_a_certificate_for_another_name_is_refused(listening, remote_effect):
    effect = remote_effect(listening(where="127.0.0.2"), "127.0.0.2")
    with pytest.raises(RenderFailed, match=r"its certificate is not for 127\.0\.0\.2"):
        effect.render(3)


@pytest.mark.parametrize(
    ("where", "host"),
    [
        ("127.0.0.1", "localhost"),
        pytest.param("[::1]", "[::1]", marks=pytest.mark.skipif(not has_ipv6_loopback(), reason="no IPv6 here")),
    ],
)
def test_a_missing_certificate_of_ours_is_asked_for(listening, remote_effect, authority, where, host):
    effect = remote_effect(listening(where=where, tls_client_authorities=authority.certificate), host)
    with pytest.raises(RenderFailed, match="asks for a certificate that we do not have; put ours into"):
        effect.render(3)


def test_a_refused_certificate_of_ours_is_named(listening, remote_effect, monkeypatch, authority, other_authority):
    show(monkeypatch, other_authority.sign("stranger"))
    effect = remote_effect(listening(tls_client_authorities=authority.certificate))
    with pytest.raises(RenderFailed, match=r"refused our certificate .*stranger\.pem"):
        effect.render(3)


def test_tls_to_a_service_without_it_is_said(listening, remote_effect):
    effect = remote_effect(listening(tls_certificate=None, tls_key=None))
    with pytest.raises(RenderFailed, match="speaks no TLS; leave tls:// out of Address"):
        effect.render(3)


def test_a_token_is_needed_over_tls_too(listening, remote_effect):
    effect = remote_effect(listening(), token_file="")
    with pytest.raises(RenderFailed, match="correct Token file"):
        effect.render(3)


def test_what_was_mended_is_read_again(
    listening, remote_effect, runtime_dir, shot, monkeypatch, authority, other_authority
):
    ours = runtime_dir / "ca.pem"
    shutil.copy(other_authority.certificate, ours)
    effect = remote_effect(listening())
    monkeypatch.setenv("STEREO_CONVERT_TLS_CA", str(ours))
    with pytest.raises(RenderFailed, match="signed by nobody"):
        effect.render(3)
    shutil.copy(authority.certificate, ours)
    np.testing.assert_array_equal(effect.render(3), formula(shot[3], 3))
    assert effect.persistent_message is None


BROKEN_FILES = {
    "no such file": (lambda c: {"CA": c / "absent.pem"}, "cannot read .*absent.pem"),
    "no certificate": (lambda c: {"CA": written(c / "words.pem", "no certificate")}, "holds no certificate in PEM"),
    "no key": (lambda c: {"CERT": c / "good.pem"}, "go together; there is only .*good.pem"),
    "open key": (lambda c: {"CERT": c / "good.pem", "KEY": opened(c / "good.key")}, "chmod 600"),
    "another's key": (lambda c: {"CERT": c / "good.pem", "KEY": c / "other.key"}, "is not the key of"),
}


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def opened(path: Path) -> Path:
    path.chmod(0o644)
    return path


@pytest.mark.parametrize("case", BROKEN_FILES)
def test_files_that_cannot_be_used_are_named(make_effect, tmp_path, clip, monkeypatch, authority, certificate, case):
    shutil.copy(certificate.certificate, tmp_path / "good.pem")
    shutil.copy(certificate.key, tmp_path / "good.key")
    shutil.copy(authority.sign("other").key, tmp_path / "other.key")
    files, message = BROKEN_FILES[case]
    for name, path in files(tmp_path).items():
        monkeypatch.setenv(f"STEREO_CONVERT_TLS_{name}", str(path))
    effect = make_effect("nuke", "tls://localhost:1")
    effect.set_clip("Source", clip)
    with pytest.raises(RenderFailed, match=message):
        effect.render(3)


@pytest.mark.parametrize("address", ["https://box:7733", "tls://box", "tls://:7733", "tls://box:port"])
def test_addresses_that_mean_nothing_are_refused(make_effect, clip, address):
    effect = make_effect("nuke", address)
    effect.set_clip("Source", clip)
    with pytest.raises(RenderFailed, match="blank, unix:PATH, HOST:PORT or tls://HOST:PORT"):
        effect.render(3)
