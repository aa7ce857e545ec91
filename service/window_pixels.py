"""④⑩ The pixels of one window: from slots, chunks or the cache into arrays, and results back into bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from service.frame_cache import FrameBytes
from service.frame_wire import FrameFormat, decode_frame, encode_frame
from service.stereo_model import WindowInput, WindowOutput
from service.window_plan import InputFrame, WindowPlan

Received = Mapping[bytes, FrameBytes]
"""Pixels of the frames that lie in no slot, by content key."""


def source_bytes(frame: InputFrame, received: Received) -> FrameBytes:
    """The bytes of one input frame, without copying."""
    return frame.slot.view() if frame.slot is not None else received[frame.content_key]


def decode_window(plan: WindowPlan, received: Received) -> WindowInput:
    """Read all frames of a plan. After this the client may do with its slots what it likes."""
    return WindowInput(
        frames=_decoded(plan.frames, received, plan.frames[0].format.channels),
        depth=_decoded(plan.depth, received, 1) if plan.depth else None,
        settings=plan.settings,
        first_frame=plan.first_frame,
        wanted=plan.wanted,
        inpainter=plan.inpainter,
        depth_estimator=plan.depth_estimator,
    )


def _decoded(frames: Sequence[InputFrame], received: Received, channels: int) -> np.ndarray:
    """(T, channels, H, W) float32, the first `channels` of each frame; equal keys are read once."""
    frame_format = frames[0].format
    interleaved = np.empty((len(frames), frame_format.height, frame_format.width, channels), np.float32)
    images = interleaved.transpose(0, 3, 1, 2)
    first_with: dict[bytes, int] = {}
    for index, frame in enumerate(frames):
        first = first_with.setdefault(frame.content_key, index)
        if first < index:
            interleaved[index] = interleaved[first]
        else:
            decode_frame(source_bytes(frame, received), frame_format, images[index])
    return images


class WindowResults(Protocol):
    """What goes back to the client."""

    format: FrameFormat
    clamped: int  # values that did not fit the pixel type, so far

    def write(self, position: int, buffer: memoryview) -> None:
        """Write the frame wanted[position] into a slot."""
        ...

    def pixels(self, position: int) -> FrameBytes:
        """The bytes of the frame wanted[position]."""
        ...


class SourceResults:
    """The left eye: the source bit for bit; never decoded, no model involved."""

    clamped = 0

    def __init__(self, plan: WindowPlan, received: Received) -> None:
        self.format = plan.result_format
        self._frames = [plan.frames[index] for index in plan.wanted]
        self._received = received

    def write(self, position: int, buffer: memoryview) -> None:
        """Copy the source frame into a slot."""
        size = self.format.frame_bytes
        source = np.frombuffer(self.pixels(position), np.uint8)
        np.copyto(np.frombuffer(buffer, np.uint8, size), source)  # without the GIL, unlike a memoryview's copy

    def pixels(self, position: int) -> FrameBytes:
        """The source frame, without copying."""
        return memoryview(source_bytes(self._frames[position], self._received))[: self.format.frame_bytes]


class ComputedResults:
    """What the model made, in the source's own kind of pixels."""

    def __init__(self, plan: WindowPlan, output: WindowOutput) -> None:
        self.format = plan.result_format
        self.clamped = 0
        self._images = output.images

    def write(self, position: int, buffer: memoryview) -> None:
        """Encode a result straight into a slot."""
        self.clamped += encode_frame(self._images[position], self.format, buffer)

    def pixels(self, position: int) -> FrameBytes:
        """Encode a result into fresh memory."""
        buffer = memoryview(np.empty(self.format.frame_bytes, np.uint8).data)
        self.write(position, buffer)
        return buffer

    def clamp_warning(self) -> str | None:
        """One sentence for the artist when values were clamped."""
        if not self.clamped:
            return None
        kind = "0..1" if self.format.is_integer else "half's range"
        return (
            f"{self.clamped} values lay outside {kind} and were clamped to fit the source's pixels ({self.format}); "
            "feed the effect a float clip to keep them"
        )
