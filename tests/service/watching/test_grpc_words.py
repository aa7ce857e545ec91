"""Lines that gRPC 1.85 printed, and what an operator reads instead."""

from __future__ import annotations

import logging
import subprocess
import sys

import pytest

from service.watching.grpc_words import in_our_words

FAILED = "I1121 23:22:57.560024   17374 ssl_transport_security.cc:2563] Handshake failed with error SSL_ERROR_SSL: "


@pytest.mark.parametrize(
    ("said", "read"),
    [
        (
            "error:1000007d:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED: certificate has expired",
            "the client's certificate is not accepted: certificate has expired",
        ),
        (
            "error:100000c0:SSL routines:OPENSSL_internal:PEER_DID_NOT_RETURN_A_CERTIFICATE: Invalid certificate "
            "verification context",
            "the client showed no certificate",
        ),
        ("error:100000f7:SSL routines:OPENSSL_internal:WRONG_VERSION_NUMBER: Invalid", "the client spoke no TLS"),
        (
            "error:10000415:SSL routines:OPENSSL_internal:SSLV3_ALERT_CERTIFICATE_EXPIRED: Invalid",
            "the client answered: certificate expired",
        ),
        ("error:10000042:SSL routines:OPENSSL_internal:NO_SHARED_CIPHER", "no shared cipher"),
    ],
)
def test_a_failed_handshake_is_a_refusal_with_its_reason(said, read):
    assert in_our_words(FAILED + said) == (logging.WARNING, f"refused: a TLS handshake failed; {read}")


def test_other_words_of_grpc_are_lines_of_the_log():
    said = "E1121 22:42:35.645804   31009 posix_engine_listener.cc:164] File descriptor limit reached. Retrying."
    told = "gRPC, posix_engine_listener.cc: File descriptor limit reached. Retrying."
    assert in_our_words(said) == (logging.WARNING, told)


def test_what_others_print_is_left_as_it_is():
    assert in_our_words("terminate called without an active exception") is None


READING = """
import logging, os, sys
from service.watching.grpc_words import GrpcWords
words = GrpcWords()
logging.basicConfig(format="LOG %(message)s", level="INFO")
os.write(2, b"I1121 23:22:57.560024 17374 a.cc:1] hello\\nbare words\\n")
print("of Python", file=sys.stderr)
words.close()
os.write(2, b"I1121 23:22:57.560024 17374 a.cc:1] after\\n")
"""


def test_only_grpcs_lines_go_to_the_log_and_nothing_is_lost():
    run = subprocess.run([sys.executable, "-c", READING], capture_output=True, text=True, check=True)
    assert sorted(run.stderr.splitlines()) == [
        "I1121 23:22:57.560024 17374 a.cc:1] after",
        "LOG gRPC, a.cc: hello",
        "bare words",
        "of Python",
    ]
