"""Certificates for tests, made by the `openssl` command; they live as long as the test run."""

from __future__ import annotations

import subprocess
from pathlib import Path

from service.access.tls import TlsFiles


class Authority:
    """Signs certificates for this machine."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self.certificate = folder / f"{name}.pem"
        self._key = folder / f"{name}.key"
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-days", "2",
                 "-subj", f"/CN={name}", "-keyout", self._key, "-out", self.certificate)  # fmt: skip

    def sign(self, name: str, expired: bool = False) -> TlsFiles:
        """A certificate and its key for "localhost" and its two addresses; `authorities` is this one."""
        certificate, key, request = (self._folder / f"{name}.{end}" for end in ("pem", "key", "csr"))
        _openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-subj", f"/CN={name}",
                 "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1", "-keyout", key,
                 "-out", request)  # fmt: skip
        days = -1 if expired else 2
        _openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self._key, "-copy_extensions",
                 "copyall", "-days", days, "-out", certificate)  # fmt: skip
        key.chmod(0o600)
        return TlsFiles(certificate, key, self.certificate)


def _openssl(*words: object) -> None:
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)
