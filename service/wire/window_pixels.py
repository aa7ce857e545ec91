"""④⑩ The pixels of one window: from slots, chunks or the cache into arrays, and results back into bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from service.caches.frame_cache import FrameBytes
from service.caches.kept_array import SEED_OF_THIS_PROCESS, digest_of
from service.stereo_model import WindowInput, WindowOutput
from service.wire.frame_wire import FrameFormat, decode_frame, encode_frame
from service.wire.pixel_copy import copy_pixels
from service.wire.window_plan import InputFrame, WindowPlan

BAND_BYTES = 8 << 20

Received = Mapping[bytes, FrameBytes]
"""Pixels of the frames that lie in no slot, by content key."""


def source_bytes(frame: InputFrame, received: Received) -> FrameBytes:
    """The bytes of one input frame, without copying."""
    return frame.slot.view() if frame.slot is not None else received[frame.content_key]


def decode_window(plan: WindowPlan, received: Received, digest_seed: int = SEED_OF_THIS_PROCESS) -> WindowInput:
    """Read all frames of a plan. After this the client may do with its slots what it likes."""
    frames, frames_digest = _decoded(plan.frames, received, plan.frames[0].format.channels, digest_seed)
    depth, depth_digest = _decoded(plan.depth, received, 1, digest_seed) if plan.depth else (None, b"")
    return WindowInput(
        frames=frames,
        depth=depth,
        settings=plan.settings,
        first_frame=plan.first_frame,
        wanted=plan.wanted,
        inpainter=plan.inpainter,
        depth_estimator=plan.depth_estimator,
        frames_digest=frames_digest,
        depth_digest=depth_digest,
    )


def _decoded(
    frames: Sequence[InputFrame], received: Received, channels: int, digest_seed: int
) -> tuple[np.ndarray, bytes]:
    """(T, channels, H, W) float32, the first `channels` of each frame, and their digest; equal keys are read once.

    The digest is of our own copy: keys are the client's claims, and slots are memory that it can still write to.
    """
    frame_format = frames[0].format
    interleaved = np.empty((len(frames), frame_format.height, frame_format.width, channels), np.float32)
    images = interleaved.transpose(0, 3, 1, 2)
    first_with: dict[bytes, int] = {}
    digests: list[bytes] = []
    for index, frame in enumerate(frames):
        first = first_with.setdefault(frame.content_key, index)
        if first < index:
            interleaved[index] = interleaved[first]
            digests.append(digests[first])
        else:
            decode_frame(source_bytes(frame, received), frame_format, images[index])
            digests.append(digest_of(interleaved[index], digest_seed))
    return images, b"".join(digests)


class WindowResults(Protocol):
    """What goes back to the client."""

    format: FrameFormat

    def write(self, position: int, buffer: memoryview, rows: slice) -> int:
        """Write these rows of the frame wanted[position] where they belong; return how many values were clamped."""
        ...

    def pixels(self, position: int) -> FrameBytes | None:
        """The bytes of the frame wanted[position], if they exist already."""
        ...


class SourceResults:
    """The left eye: the source bit for bit; never decoded, no model involved."""

    def __init__(self, plan: WindowPlan, received: Received) -> None:
        self.format = plan.result_format
        self._frames = [plan.frames[index] for index in plan.wanted]
        self._received = received

    def write(self, position: int, buffer: memoryview, rows: slice) -> int:
        """Copy rows, counted as they lie in memory."""
        row_bytes = self.format.frame_bytes // self.format.height
        piece = slice(rows.start * row_bytes, rows.stop * row_bytes)
        source = np.frombuffer(self.pixels(position), np.uint8)[piece]
        copy_pixels(np.frombuffer(buffer, np.uint8)[piece], source)
        return 0

    def pixels(self, position: int) -> memoryview:
        """The source frame, without copying."""
        return memoryview(source_bytes(self._frames[position], self._received))[: self.format.frame_bytes]


class ComputedResults:
    """What the model made, in the source's own kind of pixels."""

    def __init__(self, plan: WindowPlan, output: WindowOutput) -> None:
        self.format = plan.result_format
        self._images = output.images

    def write(self, position: int, buffer: memoryview, rows: slice) -> int:
        """Encode rows, counted from the top."""
        return encode_frame(self._images[position], self.format, buffer, rows)

    def pixels(self, position: int) -> None:
        """There are none before `write`."""


def bands_of(frame_format: FrameFormat) -> list[slice]:
    """Rows to write at the same time: two bands for a frame so large that it pays to wake another core."""
    height = frame_format.height
    if frame_format.frame_bytes < BAND_BYTES:
        return [slice(0, height)]
    return [slice(0, height // 2), slice(height // 2, height)]


def clamp_warning(clamped: int, frame_format: FrameFormat) -> str:
    """One sentence for the artist when values were clamped."""
    span = "0..1" if frame_format.is_integer else "half's range"
    return (
        f"{clamped} values lay outside {span} and were clamped to fit the source's pixels ({frame_format}); "
        "feed the effect a float clip to keep them"
    )
