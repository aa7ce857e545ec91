"""Adds what FFmpeg's Python bindings cannot: HDR and stereo boxes in the picture's description of a .mov or .mp4.

Boxes of ISO/IEC 14496-12 (mdcv, clli) and of Google's Spherical Video V2 (st3d, sv3d). The description lies in `moov`,
which FFmpeg writes last, so nothing that it points to moves when it grows.
"""

from __future__ import annotations

import struct
from pathlib import Path

from service.batch.errors import WriteError
from service.batch.media.clip_info import ContentLight, MasteringDisplay

_STEREO_MODES = {"tb": 1, "sbs": 2, "vr180": 2}  # of st3d: top and bottom, left and right
_PARENTS = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")
_STSD_HEADER_BYTES = 16
_HALF_OF_HALF = 0x40000000
"""A quarter of the circle as a 0.32 fraction: what half a sphere leaves out on each side."""


def hdr_boxes(mastering: MasteringDisplay | None, light: ContentLight | None) -> bytes:
    """mdcv and clli; nothing for what is unknown."""
    boxes = b""
    if mastering is not None:
        points = (mastering.green, mastering.blue, mastering.red, mastering.white)
        chromaticities = [round(value * 50000) for point in points for value in point]
        luminances = (round(mastering.max_luminance * 10000), round(mastering.min_luminance * 10000))
        boxes += _box(b"mdcv", struct.pack(">8H2I", *chromaticities, *luminances))
    if light is not None:
        boxes += _box(b"clli", struct.pack(">2H", light.max_content, light.max_frame_average))
    return boxes


def stereo_boxes(kind: str) -> bytes:
    """st3d for both eyes in one frame, and sv3d for half a sphere; nothing for other outputs."""
    mode = _STEREO_MODES.get(kind.partition("-")[0])
    if mode is None:
        return b""
    boxes = _box(b"st3d", struct.pack(">IB", 0, mode))
    if kind == "vr180":
        header = _box(b"svhd", struct.pack(">I", 0) + b"Stereo Convert\0")
        pose = _box(b"prhd", struct.pack(">I3i", 0, 0, 0, 0))
        bounds = _box(b"equi", struct.pack(">5I", 0, 0, 0, _HALF_OF_HALF, _HALF_OF_HALF))
        boxes += _box(b"sv3d", header + _box(b"proj", pose + bounds))
    return boxes


def add_boxes(path: Path, boxes: bytes) -> None:
    """Append boxes to the description of the first picture. Raises WriteError when the file is not laid out as ours."""
    if not boxes:
        return
    with open(path, "r+b") as file:
        start, size = _last_box(file, path.stat().st_size)
        file.seek(start)
        moov = bytearray(file.read(size))
        _insert(moov, boxes, path)
        file.seek(start)
        file.write(moov)


def _last_box(file, file_size: int) -> tuple[int, int]:
    """(start, size) of moov, which must be the last box."""
    at = 0
    while at < file_size:
        file.seek(at)
        size, name = struct.unpack(">I4s", file.read(8))
        if size == 1:
            (size,) = struct.unpack(">Q", file.read(8))
        if name == b"moov" and at + size == file_size:
            return at, size
        if size < 8:
            break
        at += size
    raise WriteError("the new file has no moov box at its end; render to another container")


def _insert(moov: bytearray, boxes: bytes, path: Path) -> None:
    trail = _trail_to_video_entry(moov)
    if trail is None:
        raise WriteError(f"{path} has no description of a picture; render to another container")
    entry = trail[-1]
    (entry_size,) = struct.unpack_from(">I", moov, entry)
    moov[entry + entry_size : entry + entry_size] = boxes
    for at in trail:
        (size,) = struct.unpack_from(">I", moov, at)
        struct.pack_into(">I", moov, at, size + len(boxes))


def _trail_to_video_entry(moov: bytearray) -> list[int] | None:
    """Offsets of moov, trak, … stsd and the sample entry of the first track that is a picture."""
    for track in _children(moov, 8, len(moov), b"trak"):
        trail = [0, track]
        for name in _PARENTS[2:]:
            parent = trail[-1]
            (size,) = struct.unpack_from(">I", moov, parent)
            found = _children(moov, parent + 8, parent + size, name)
            if not found:
                break
            trail.append(found[0])
        else:
            if b"vmhd" in moov[trail[3] : trail[4]]:
                return [*trail, trail[-1] + _STSD_HEADER_BYTES]
    return None


def _children(data: bytearray, start: int, end: int, name: bytes) -> list[int]:
    found = []
    while start + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, start)
        if kind == name:
            found.append(start)
        if size < 8:
            break
        start += size
    return found


def _box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), name) + content
