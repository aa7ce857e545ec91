"""A batch that survives what `chaos` does to it: `python -m tests.service.chaos_batch SOCKET FOLDER FRAMES`.

Each frame becomes one file, put in place whole and only once; a second start goes on where the first one died.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from pathlib import Path

import grpc
import numpy as np

from model.settings import Settings
from service.client import ServiceClient
from service.wire.frame_wire import FrameFormat

FORMAT = FrameFormat(64, 48, np.dtype("<f4"), 3)
SETTINGS = Settings(engine="stretch", window=1)
WINDOW_TIMEOUT_S = 30.0
PAUSE_S = 0.05
WORTH_REPEATING = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
}


def source_frame(number: int) -> bytes:
    """Noise that is another one for each frame."""
    size = FORMAT.frame_bytes // FORMAT.dtype.itemsize
    return np.random.default_rng(number).random(size, np.float32).tobytes()


def convert(client: ServiceClient, number: int) -> bytes:
    """One frame, as often as it takes. Raises grpc.RpcError for what no repetition can cure."""
    frame = source_frame(number)
    while True:
        header = client.header([frame], FORMAT, SETTINGS, first_frame=number, wanted=[0])
        try:
            return bytes(client.convert(header, [frame], timeout_s=WINDOW_TIMEOUT_S).frames[0])
        except grpc.RpcError as error:
            assert isinstance(error, grpc.Call)
            if error.code() not in WORTH_REPEATING:
                raise
        time.sleep(PAUSE_S)


def put_once(path: Path, pixels: bytes) -> None:
    """Write a file whole, waiting while the disk is full. Raises FileExistsError when it is there already."""
    part = path.with_suffix(".part")
    while True:
        try:
            part.write_bytes(pixels)
            os.link(part, path)  # unlike a rename, never replaces
        except FileExistsError:
            raise
        except OSError:
            time.sleep(PAUSE_S)
        else:
            break
    with suppress(FileNotFoundError):
        part.unlink()


def main(socket: str, folder: Path, frames: int) -> None:
    """Convert all frames that are not there yet."""
    with ServiceClient(f"unix:{socket}") as client:
        for number in range(frames):
            path = folder / f"{number:05d}.raw"
            if not path.exists():
                put_once(path, convert(client, number))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
