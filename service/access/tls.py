"""TLS of TCP connections: which files, what the server shows, whom it lets in."""

from __future__ import annotations

import os
import ssl
import stat
from dataclasses import dataclass
from pathlib import Path

import grpc

from model.errors import InvalidInputError


@dataclass(frozen=True)
class TlsFiles:
    """PEM files of one end. A server needs both of its own; a client none, or both where the server asks for them."""

    certificate: Path | None = None  # own chain, leaf first
    key: Path | None = None  # of the leaf, readable by its owner alone
    authorities: Path | None = None  # who may have signed the other end's certificate; None: see each function

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            raise InvalidInputError("a certificate and its key go together; give --tls-cert and --tls-key, or neither")


def server_credentials(files: TlsFiles) -> grpc.ServerCredentials:
    """What a server shows. With `authorities`, it lets in only clients whose certificate they signed (mTLS).

    Raises InvalidInputError for files that cannot be read, do not belong together, or lie open to others.
    """
    if files.certificate is None or files.key is None:
        raise InvalidInputError("a server needs a certificate and its key; give --tls-cert and --tls-key")
    pair = _own_pair(files.certificate, files.key)
    authorities = _authorities(files.authorities) if files.authorities is not None else None
    return grpc.ssl_server_credentials([pair], authorities, require_client_auth=authorities is not None)


def client_credentials(files: TlsFiles) -> grpc.ChannelCredentials:
    """Whom a client believes, the system's authorities without `authorities`; and what it shows, if anything.

    Raises InvalidInputError as `server_credentials`.
    """
    authorities = _authorities(files.authorities) if files.authorities is not None else None
    if files.certificate is None or files.key is None:
        return grpc.ssl_channel_credentials(authorities)
    key, certificate = _own_pair(files.certificate, files.key)
    return grpc.ssl_channel_credentials(authorities, key, certificate)


def _own_pair(certificate: Path, key: Path) -> tuple[bytes, bytes]:
    """(key, certificate) in PEM, as gRPC takes them."""
    pair = _read(key), _read(certificate)
    if stat.S_IMODE(os.stat(key).st_mode) & 0o077:
        raise InvalidInputError(f"others may read the key {key}; run: chmod 600 {key}")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
            certificate, key, password=""
        )  # "": never ask on a terminal
    except (ssl.SSLError, OSError) as error:
        raise InvalidInputError(
            f"{certificate} and {key} are no certificate and its key in PEM without a passphrase ({_reason(error)})"
        ) from None
    return pair


def _authorities(path: Path) -> bytes:
    pem = _read(path)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=pem.decode("ascii", "replace"))
    except (ssl.SSLError, ValueError) as error:
        raise InvalidInputError(f"{path} holds no certificate of an authority in PEM ({_reason(error)})") from None
    return pem


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInputError(f"cannot read {path}: {error.strerror}") from None


def _reason(error: Exception) -> str:
    return getattr(error, "reason", None) or str(error) or type(error).__name__
