"""What one cached value looks like on disk: a hash, a header in JSON, arrays as they lie in memory.

    8 bytes   MAGIC, which changes with this format
    16 bytes  XXH3-128 of all that follows
    4 bytes   length of the header, little endian
    header    {"name": ..., "meta": {...}, "arrays": [[dtype, shape], ...]}
    arrays    one after the other, C order

The hash finds what disks and crashes do. It is no signature: the folder is closed to other users.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xxhash

MAGIC = b"STEREO01"
_DIGEST_BYTES = 16
_LENGTH = struct.Struct("<I")


class DamagedEntryError(ValueError):
    """An entry is not what was written."""


@dataclass(frozen=True)
class Entry:
    """A value as a file holds it: `meta` is JSON's kinds of values, `arrays` of any number type and shape."""

    arrays: tuple[np.ndarray, ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)

    @property
    def size_bytes(self) -> int:
        """Bytes of all arrays."""
        return sum(array.nbytes for array in self.arrays)


def pack(name: str, entry: Entry) -> list[bytes | memoryview]:
    """The pieces of the file of `name`, in order; arrays are not copied."""
    arrays = [np.ascontiguousarray(array) for array in entry.arrays]
    kinds = [[array.dtype.str, array.shape] for array in arrays]
    header = json.dumps({"name": name, "meta": dict(entry.meta), "arrays": kinds}).encode()
    pieces = [_LENGTH.pack(len(header)), header, *(array.reshape(-1).view(np.uint8).data for array in arrays)]
    digest = xxhash.xxh3_128()
    for piece in pieces:
        digest.update(piece)
    return [MAGIC, digest.digest(), *pieces]


def unpack(name: str, data: bytes) -> Entry:
    """The entry of `name`. Raises DamagedEntryError unless `data` is what `pack` gave for it, to the bit."""
    view, start = memoryview(data), len(MAGIC) + _DIGEST_BYTES
    if view[: len(MAGIC)] != MAGIC or xxhash.xxh3_128(view[start:]).digest() != view[len(MAGIC) : start]:
        raise DamagedEntryError("its hash is another one")
    (length,) = _LENGTH.unpack_from(view, start)
    start += _LENGTH.size
    header = json.loads(bytes(view[start : start + length]))
    if header["name"] != name:
        raise DamagedEntryError(f"it was written as {header['name']}")
    return Entry(_arrays(view[start + length :], header["arrays"]), header["meta"])


def _arrays(data: memoryview, kinds: Sequence[Sequence[Any]]) -> tuple[np.ndarray, ...]:
    arrays, start = [], 0
    for kind, shape in kinds:
        count = math.prod(shape)
        arrays.append(np.frombuffer(data, np.dtype(kind), count, start).reshape(shape) if count else np.empty(shape, kind))  # fmt: skip # noqa: E501
        start += arrays[-1].nbytes
    return tuple(arrays)
