"""Hostile conversations: sound ones with fields, bytes or the order of messages spoiled. A seed repeats them."""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from stereoconvert.v1 import frame_pb2, stereo_convert_pb2

from model.settings import Settings
from service.client import Request, ServiceClient
from service.wire.frame_wire import FrameFormat

SERVICE = "/stereoconvert.v1.StereoConvertService/"
LARGEST_MESSAGE_BYTES = 4 << 20  # gRPC's own limit

CONTENTS = 64
"""So many different frames are sent, so that what the service's cache keeps does not look like a leak."""

_NUMBERS = (0, 1, 2, 3, 48, 63, 64, 4095, 4096, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1)
_REALS = (0.0, -0.0, 1.0, -1.0, 1e-45, 1e38, -1e38, float("inf"), float("-inf"), float("nan"))
_WORDS = (
    "", "lite", "Draft", "../../../etc/passwd", "/etc/passwd", "lite\x00.safetensors", "%s%n%x", "a" * 5000, "ä" * 64,
    "/stereo-0123456789abcdef0123", "/stereo-../../../../etc", "file:///etc/passwd", "$(id)", "\u202egnp.exe", "-1",
)  # fmt: skip
_LYING_LENGTH = b"\xff" * 9 + b"\x01"


@dataclass(frozen=True)
class Attempt:
    """One call of a hostile client."""

    kind: str
    method: str
    messages: tuple[bytes, ...]
    metadata: tuple[tuple[str, str | bytes], ...] = ()
    hang_up_after: int | None = None  # answers that are read before the call is dropped; None: all of them


class Conversations:
    """What a sound client would say; the material of all attempts."""

    def __init__(self, client: ServiceClient, store_id: bytes) -> None:
        """`store_id` is a region that is really shared; `client` is used for its headers alone."""
        self._client = client
        self._store_id = store_id
        self._small = FrameFormat(4, 3, np.dtype("u1"), 4)
        self._deep = FrameFormat(8, 6, np.dtype("<u2"), 3)

    def window(self, chance: random.Random) -> list[Message]:
        """A window from header to last chunk; most of them pass through, for a device would be slower."""
        frame_format = chance.choice((self._small, self._small, self._deep))
        frames = [
            random.Random(chance.randrange(CONTENTS)).randbytes(frame_format.frame_bytes)
            for _ in range(chance.choice((1, 1, 3)))
        ]
        if frame_format is self._small:
            header = self._client.header(frames, frame_format, Settings(output="left"))
        else:
            header = self._client.header(
                frames, frame_format, Settings(engine="none", depth_source="clip"), depth=frames, wanted=[0]
            )
        header.session_id = bytes((chance.randrange(8),)) * 16  # few sessions: their number is limited too
        header.request_id = chance.randbytes(16)
        if chance.random() < 0.2:
            location = frame_pb2.StoreLocation(store_id=self._store_id, offset_bytes=4096, size_bytes=1024)
            header.frames[0].location.CopyFrom(location)
            header.output_slots.add(store_id=self._store_id, offset_bytes=8192, size_bytes=1024)
        chunks = [
            Request(chunk=frame_pb2.FrameChunk(content_key=reference.content_key, data=frame))
            for reference, frame in zip(header.frames, frames, strict=True)
            if not reference.HasField("location")
        ]
        return [Request(header=header), *chunks]

    def any(self, chance: random.Random) -> tuple[str, list[Message]]:
        """A method and what to say to it."""
        match chance.randrange(10):
            case 0:
                return "Describe", [stereo_convert_pb2.DescribeRequest(client_version="0.1.0")]
            case 1:
                return "CancelWindow", [stereo_convert_pb2.CancelWindowRequest(request_id=chance.randbytes(16))]
            case 2:
                name = f"/stereo-{chance.getrandbits(80):020x}"
                return "ShareFrameStore", [stereo_convert_pb2.ShareFrameStoreRequest(name=name, size_bytes=16384)]
            case _:
                return "ConvertWindow", self.window(chance)


def attempt(chance: random.Random, sound: Conversations, token: str) -> Attempt:
    """One of the hostile kinds, by chance."""
    kinds: dict[str, Callable[[random.Random, Conversations], Attempt]] = {
        "spoiled fields": _spoiled_fields,
        "spoiled bytes": _spoiled_bytes,
        "random bytes": _random_bytes,
        "order of messages": _any_order,
        "hostile metadata": _hostile_metadata,
        "hang-up": _hang_up,
        "wrong token": lambda chance, sound: _wrong_token(chance, sound, token),
    }
    kind = chance.choices(list(kinds), weights=(8, 6, 2, 4, 1, 1, 1))[0]
    return replace(kinds[kind](chance, sound), kind=kind)


def _plain(method: str, messages: Sequence[Message]) -> Attempt:
    return Attempt("", SERVICE + method, tuple(message.SerializeToString() for message in messages))


def _spoiled_fields(chance: random.Random, sound: Conversations) -> Attempt:
    method, messages = sound.any(chance)
    for _ in range(chance.randint(1, 4)):
        spoil_field(chance.choice(messages), chance)
    return _plain(method, messages)


def _spoiled_bytes(chance: random.Random, sound: Conversations) -> Attempt:
    honest = _plain(*sound.any(chance))
    messages = list(honest.messages)
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(messages))
        messages[at] = spoil_bytes(messages[at], chance)
    return replace(honest, messages=tuple(messages))


def _random_bytes(chance: random.Random, sound: Conversations) -> Attempt:
    method = chance.choice(("Describe", "CancelWindow", "ShareFrameStore", "ConvertWindow", "Nothing", "../Describe"))
    size = LARGEST_MESSAGE_BYTES + 1 if chance.random() < 0.01 else chance.randrange(200)
    return Attempt("", SERVICE + method, (chance.randbytes(size),))


def _any_order(chance: random.Random, sound: Conversations) -> Attempt:
    messages = sound.window(chance) + sound.window(chance)
    messages += [Request(), Request(release_slot=frame_pb2.StoreLocation(offset_bytes=chance.choice(_NUMBERS)))]
    chosen = [chance.choice(messages) for _ in range(chance.randint(0, 8))]
    return _plain("ConvertWindow", ([messages[0]] if chance.random() < 0.6 else []) + chosen)


def _hostile_metadata(chance: random.Random, sound: Conversations) -> Attempt:
    pairs: list[tuple[str, str | bytes]] = [
        (chance.choice(("x", "authorization", "content-type-x", "grpc-previous-rpc-attempts", "traceparent")),
         "".join(chance.choices("aZ09 ~%/{}", k=chance.choice((0, 10, 7000)))))
        for _ in range(chance.choice((1, 3, 60)))
    ]  # fmt: skip
    pairs.append(("x-bin", chance.randbytes(chance.randrange(100))))
    return replace(_plain(*sound.any(chance)), metadata=tuple(pairs))


def _hang_up(chance: random.Random, sound: Conversations) -> Attempt:
    return replace(_plain("ConvertWindow", sound.window(chance)), hang_up_after=chance.randrange(3))


def _wrong_token(chance: random.Random, sound: Conversations, token: str) -> Attempt:
    wrong = (
        "", "Bearer", "Bearer ", f"bearer {token}", f"Bearer {token[:-1]}", f"Bearer {token}0", f"Basic {token}",
        f"Bearer {secrets.token_hex(32)}", f"Bearer {token[::-1]}", token,
    )  # fmt: skip
    metadata = (("authorization", chance.choice(wrong)),) if chance.random() < 0.9 else ()
    return replace(_plain(*sound.any(chance)), metadata=metadata)


def spoil_field(message: Message, chance: random.Random) -> None:
    """Give one field of a message, or of what lies in it, a value that no sound client would send."""
    fields = message.DESCRIPTOR.fields
    present = [field for field, _ in message.ListFields()]
    field = chance.choice(present if present and chance.random() < 0.8 else fields)
    if field.is_repeated:
        _spoil_list(getattr(message, field.name), field, chance)
    elif field.type == FieldDescriptor.TYPE_MESSAGE:
        if chance.random() < 0.1:
            message.ClearField(field.name)
        else:
            inner = getattr(message, field.name)
            inner.SetInParent()
            spoil_field(inner, chance)
    else:
        setattr(message, field.name, _value(field, chance))


def _spoil_list(values: Any, field: Any, chance: random.Random) -> None:
    if chance.random() < 0.3:
        del values[chance.randrange(len(values) + 1) :]
    elif field.type != FieldDescriptor.TYPE_MESSAGE:
        values.extend(_value(field, chance) for _ in range(chance.choice((1, 3, 200))))
    elif len(values) and chance.random() < 0.7:
        spoil_field(chance.choice(values), chance)
    else:
        for _ in range(chance.choice((1, 100))):
            values.add().CopyFrom(values[0])


def _value(field: Any, chance: random.Random) -> Any:
    kind = field.cpp_type
    if kind in (FieldDescriptor.CPPTYPE_FLOAT, FieldDescriptor.CPPTYPE_DOUBLE):
        return chance.choice((*_REALS, chance.uniform(-10, 100)))
    if kind == FieldDescriptor.CPPTYPE_BOOL:
        return chance.random() < 0.5
    if kind == FieldDescriptor.CPPTYPE_ENUM:
        return chance.choice((0, 1, 2, 3, 7, 99, -1, 2**31 - 1))
    if field.type == FieldDescriptor.TYPE_BYTES:
        return chance.randbytes(chance.choice((0, 1, 15, 16, 17, 40)))
    if kind == FieldDescriptor.CPPTYPE_STRING:
        return chance.choice(_WORDS)
    bits = 64 if kind in (FieldDescriptor.CPPTYPE_INT64, FieldDescriptor.CPPTYPE_UINT64) else 32
    signed = kind in (FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_INT64)
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    return max(low, min(high, chance.choice((*_NUMBERS, -1, low, high, chance.randint(low, high)))))


def spoil_bytes(message: bytes, chance: random.Random) -> bytes:
    """Damage a serialized message in one of the ways that parsers are afraid of."""
    start, end = sorted(chance.randrange(len(message) + 1) for _ in range(2))
    match chance.randrange(7):
        case 0:
            return message[:end]
        case 1:
            return message[:start] + message[end:]
        case 2:
            return message[:start] + message[start:end] * chance.choice((2, 50)) + message[end:]
        case 3:
            return message[:start] + _LYING_LENGTH + message[start:]
        case 4:
            return message[:start] + chance.randbytes(chance.randint(1, 16)) + message[start:]
        case 5:
            return _nested(chance.choice((10, 99, 101, 5000))) + message
        case _:
            spoiled = bytearray(message or b"\0")
            for _ in range(chance.randint(1, 8)):
                spoiled[chance.randrange(len(spoiled))] ^= 1 << chance.randrange(8)
            return bytes(spoiled)


def _nested(levels: int) -> bytes:
    """Groups within groups, which parsers follow by recursion."""
    return b"\x0b" * levels + b"\x0c" * levels
