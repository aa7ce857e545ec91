"""Bytes below gRPC: connections that lie about lengths, headers, streams, or about being HTTP/2 at all."""

from __future__ import annotations

import random
import socket
from contextlib import suppress
from pathlib import Path

from tests.service.fuzz_messages import SERVICE

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST, SETTINGS, PUSH, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, END_HEADERS = 1, 4
ANSWER_S, QUIET_S = 30.0, 0.05
PIECE_BYTES = 1 << 16

_PATHS = ("Describe", "ConvertWindow", "ShareFrameStore", "CancelWindow", "..%2f..", "")
_LYING_LENGTHS = (0, 1, 5, 2**16, 2**22, 2**22 + 1, 2**31, 2**32 - 1)


def frame(kind: int, flags: int, stream: int, payload: bytes, length: int | None = None) -> bytes:
    """An HTTP/2 frame; `length` lies about the payload's."""
    size = len(payload) if length is None else length
    return size.to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def header_block(fields: list[tuple[bytes, bytes]]) -> bytes:
    """HPACK without tables: each field literal, never indexed (RFC 7541, 6.2.3)."""
    return b"".join(b"\x10" + _text(name) + _text(value) for name, value in fields)


def grpc_message(data: bytes, length: int | None = None, compressed: int = 0) -> bytes:
    """A gRPC message in DATA; `length` lies."""
    return bytes((compressed,)) + (len(data) if length is None else length).to_bytes(4, "big") + data


def connection(chance: random.Random) -> bytes:
    """All that a hostile client sends before it hangs up."""
    if chance.random() < 0.1:
        no_http2 = (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00", b"", chance.randbytes(300))
        return chance.choice(no_http2)
    start = PREFACE + frame(SETTINGS, 0, 0, _settings(chance))
    return start + b"".join(_call(chance, stream=1 + 2 * number) for number in range(chance.randint(1, 4)))


def _call(chance: random.Random, stream: int) -> bytes:
    block = header_block(_fields(chance))
    if chance.random() < 0.1:
        block = chance.randbytes(60)
    flags = chance.choice((END_HEADERS, END_HEADERS, END_HEADERS | END_STREAM, 0))
    lying = chance.choice(_LYING_LENGTHS) if chance.random() < 0.6 else None
    data = grpc_message(chance.randbytes(chance.randrange(80)), lying, chance.choice((0, 0, 1, 7)))
    at = chance.choice((stream, stream, stream, 0, 2, 2**31 - 1))
    end = END_STREAM if chance.random() < 0.8 else 0
    parts = [frame(HEADERS, flags, stream, block), frame(DATA, end, at, data)]
    if chance.random() < 0.5:
        parts.insert(chance.randrange(3), _odd_frame(chance, stream))
    if chance.random() < 0.1:
        parts.append(frame(DATA, 0, stream, b"short", length=chance.choice((6, 2**14 + 1, 2**24 - 1))))
    return b"".join(parts)


def _fields(chance: random.Random) -> list[tuple[bytes, bytes]]:
    fields = [
        (b":method", b"POST"), (b":scheme", b"http"), (b":path", (SERVICE + chance.choice(_PATHS)).encode()),
        (b":authority", b"localhost"), (b"te", b"trailers"), (b"content-type", b"application/grpc"),
    ]  # fmt: skip
    odd = [
        (b"grpc-timeout", b"99999999999999H"), (b"grpc-timeout", b"-1S"), (b"grpc-timeout", b"0n"),
        (b"grpc-encoding", b"evil"), (b"grpc-encoding", b"gzip"), (b"grpc-accept-encoding", b"," * 500),
        (b"UPPER", b"x"), (b"x" * 9000, b"y"), (b"x", b"y" * 20000), (b"a\0b", b"c\r\nd: e"), (b"", b""),
        (b":path", b"/"), (b"x-bin", b"===="), (b"content-length", b"18446744073709551616"), (b"connection", b"close"),
    ]  # fmt: skip
    if chance.random() < 0.5:
        fields.insert(chance.randrange(len(fields)), chance.choice(odd))
    if chance.random() < 0.2:
        fields[chance.randrange(len(fields))] = (chance.randbytes(5), chance.randbytes(20))
    if chance.random() < 0.1:
        fields *= 60
    return fields


def _odd_frame(chance: random.Random, stream: int) -> bytes:
    return chance.choice((
        frame(RST, 0, stream, b"\0\0\0\x08"), frame(RST, 0, 0, b"\0"), frame(WINDOW_UPDATE, 0, stream, b"\0\0\0\0"),
        frame(WINDOW_UPDATE, 0, 0, b"\x7f\xff\xff\xff"), frame(PING, 0, 0, b"12345678") * 3, frame(PING, 0, 1, b"1"),
        frame(GOAWAY, 0, 0, bytes(8)), frame(PRIORITY, 0, stream, bytes(5)), frame(PUSH, 4, stream, bytes(8)),
        frame(CONTINUATION, 0, stream, b"\x10" * 40) * 4, frame(0xEE, 0xFF, stream, chance.randbytes(30)),
        frame(SETTINGS, 0, 0, chance.randbytes(7)), frame(SETTINGS, 1, 0, b"123456"),
    ))  # fmt: skip


def _settings(chance: random.Random) -> bytes:
    """Pairs of 16-bit name and 32-bit value."""
    pairs = [(name, chance.choice((0, 1, 100, 2**14, 2**24, 2**31, 2**32 - 1))) for name in range(9)]
    return b"".join(n.to_bytes(2, "big") + v.to_bytes(4, "big") for n, v in chance.sample(pairs, chance.randrange(4)))


def _text(text: bytes) -> bytes:
    """HPACK string: length with a 7-bit prefix (RFC 7541, 5.1), no Huffman."""
    size, rest = len(text), bytearray()
    if size < 127:
        return bytes((size,)) + text
    size -= 127
    while size >= 128:
        rest.append(size % 128 + 128)
        size //= 128
    rest.append(size)
    return bytes((127, *rest)) + text


def answer_to(path: Path, sent: bytes, quiet_s: float = QUIET_S) -> bytes:
    """Say this on a Unix socket, hang up after a status or after silence, and return all that came back.

    Raises TimeoutError when the other side keeps the connection that we have ended.
    """
    answer = bytearray()
    with socket.socket(socket.AF_UNIX) as end:
        end.connect(str(path))
        with suppress(BrokenPipeError, ConnectionResetError):  # it hung up first, as it may
            end.sendall(sent)
            end.settimeout(quiet_s)
            with suppress(TimeoutError):
                while b"grpc-status" not in answer and (piece := end.recv(PIECE_BYTES)):
                    answer += piece
            end.shutdown(socket.SHUT_WR)
            end.settimeout(ANSWER_S)
            while piece := end.recv(PIECE_BYTES):
                answer += piece
    return bytes(answer)
