"""A window that runs out of memory is computed once more with less, and its frames are the same."""

from __future__ import annotations

import math

import grpc
import numpy as np
import pytest

from model.settings import Settings
from service.client import ServiceClient
from service.stereo_model import WindowInput, WindowOutput
from service.torch_model import TorchModel
from service.wire.frame_wire import FrameFormat
from tests.service.scarce_memory import ScarceMemory
from tests.service.window_calls import status

FRAMES = 4
FORMAT = FrameFormat(112, 64, np.dtype("<f4"), 4)
SETTINGS = Settings(depth_source="alpha", disparity=8, window=17)
NOTHING_KEPT = {"result_cache_bytes": 0, "fill_cache_bytes": 0, "depth_cache_bytes": 0}
ROUNDING = 1e-6


class ScarceModel(TorchModel):
    """The real one, on a device with a limit."""

    def __init__(self, limit_bytes: float) -> None:
        super().__init__()
        self._limit_bytes = limit_bytes
        self.tries: list[tuple[bool, int]] = []  # (frugal, peak in bytes)

    def convert(self, window: WindowInput, device: str, progress) -> WindowOutput:
        self._inpainter("lite", device)  # weights are not the window's
        scarce = ScarceMemory(self._limit_bytes)
        try:
            with scarce:
                return super().convert(window, device, progress)
        finally:
            self.tries.append((window.frugal, scarce.peak_bytes))


@pytest.fixture
def convert(start_service):
    """Ask a service whose device has so much memory for a window with a post before a texture."""
    pixels = np.random.default_rng(1).random((FRAMES, 64, 112, 4), np.float32)
    pixels[..., 3] = 0.0
    pixels[:, 10:55, 40:60, 3] = 1.0
    frames = [frame.tobytes() for frame in pixels]

    def ask(limit_bytes: float) -> tuple[list[tuple[bool, int]], np.ndarray]:
        scarce = ScarceModel(limit_bytes)
        service = start_service(limits=NOTHING_KEPT, model=scarce)
        with ServiceClient(service.target) as client:
            header = client.header(frames, FORMAT, SETTINGS, wanted=list(range(FRAMES)))
            answer = client.convert(header, frames, timeout_s=300.0)
        return scarce.tries, np.stack([np.frombuffer(answer.frames[index], "<f4") for index in range(FRAMES)])

    return ask


def test_a_window_that_does_not_fit_is_converted_once_more_with_less_memory_and_is_the_same(convert):
    ((_, whole_bytes),), whole = convert(math.inf)
    tries, again = convert(0.75 * whole_bytes)
    assert [frugal for frugal, _ in tries] == [False, True]
    assert tries[0][1] > 0.75 * whole_bytes > tries[1][1]
    np.testing.assert_allclose(again, whole, atol=ROUNDING, rtol=0)


def test_a_window_that_does_not_fit_even_so_says_what_to_do(convert):
    code, message = status(lambda: convert(1e6))
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "max width" in message
