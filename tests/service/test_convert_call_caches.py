"""What is remembered between windows changes how long they take, never what comes back."""

from __future__ import annotations

import numpy as np
import pytest

from model.settings import Settings
from service.caches.model_caches import CacheSizes, ModelCaches
from service.client import ServiceClient
from service.torch_model import TorchModel
from service.wire.frame_wire import FrameFormat
from tests.service.window_calls import F32, halved

PICTURE = FrameFormat(64, 48, np.dtype("<f4"), 3)
FAST = Settings(engine="stretch", window=1)


def convert(service, frames, frame_format=F32, settings=None, **fields):
    """One window of a session of its own."""
    with ServiceClient(service.target) as client:
        window = client.convert(client.header(frames, frame_format, settings, **fields), frames)
    return {index: bytes(pixels) for index, pixels in window.frames.items()}


def test_another_host_gets_a_window_that_was_computed_for_the_first(service, make_frames):
    frames = make_frames(F32, 5)
    assert convert(service, frames) == convert(service, frames) == {2: halved(frames[2])}
    assert len(service.model.windows) == 1


def test_other_settings_frames_or_times_are_computed(service, make_frames):
    frames = make_frames(F32, 1)
    convert(service, frames)
    convert(service, frames, settings=Settings(disparity=3.0))
    convert(service, frames, first_frame=1)
    convert(service, [frames[0][::-1]])
    assert len(service.model.windows) == 4


def test_a_key_that_another_session_gave_to_other_pixels_is_not_believed(service, make_frames):
    honest, forged = make_frames(F32, 2)
    convert(service, [honest])
    with ServiceClient(service.target) as client:
        header = client.header([forged], F32)
        header.frames[0].content_key = client.header([honest], F32).frames[0].content_key
        window = client.convert(header, [forged])
    assert bytes(window.frames[0]) == halved(forged)
    assert convert(service, [honest]) == {0: halved(honest)}


def test_results_are_equal_with_the_cache_on_off_and_damaged(start_service, tmp_path, make_frames):
    frames = make_frames(F32, 1)
    on = start_service()
    tmp_path.chmod(0o700)
    off = start_service(limits={"result_cache_bytes": 0}, runtime_dir=tmp_path)
    first = convert(on, frames)
    for kept, _ in on.shop.results._entries.values():
        kept.output.images.flags.writeable = True
        kept.output.images.fill(7.0)
    assert convert(on, frames) == first == convert(off, frames) == convert(off, frames)
    assert (len(on.model.windows), len(off.model.windows)) == (2, 2)


@pytest.fixture
def real(start_service):
    """A service with this project's own model."""
    return start_service(model=TorchModel(ModelCaches(CacheSizes(depth_bytes=1 << 20))))


def depth_lookups(service) -> tuple[int, int]:
    """Hits and misses."""
    depth = service.shop.caches["depth"]
    return depth.hits, depth.misses


def test_stereo_warp_and_fill_settings_never_estimate_depth_again(real, make_frames):
    frames = make_frames(PICTURE, 1)
    pictures = [
        convert(real, frames, PICTURE, settings, wanted=[0])
        for settings in (
            FAST,
            Settings(engine="stretch", window=1, disparity=5.0),
            Settings(engine="stretch", window=1, convergence=0.9),
            Settings(engine="stretch", window=1, mask_grow=8.0, output="mask"),
            Settings(engine="none", window=1, dilation=9),
        )
    ]
    assert len({picture[0] for picture in pictures}) == 5, "each setting has its effect"
    assert depth_lookups(real) == (4, 1)


def test_remembered_depth_gives_equal_pictures(start_service, tmp_path, real, make_frames):
    tmp_path.chmod(0o700)
    off = start_service(model=TorchModel(), limits={"result_cache_bytes": 0}, runtime_dir=tmp_path)
    frames = make_frames(PICTURE, 1)
    convert(real, frames, PICTURE, Settings(engine="stretch", disparity=1.0), wanted=[0])
    assert convert(real, frames, PICTURE, FAST, wanted=[0]) == convert(off, frames, PICTURE, FAST, wanted=[0])
    assert depth_lookups(real) == (1, 1)
