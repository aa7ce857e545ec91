"""However pixels travel, and however little memory there is for them, the result has the same bits."""

from __future__ import annotations

import json
import queue
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from stereoconvert.v1 import stereo_convert_pb2, stereo_convert_pb2_grpc

from service.config import ServiceLimits
from service.wire.frame_store import FrameStore
from service.wire.window_plan import CONTRACT_VERSION
from tests.ofx_host import ArrayClip
from tests.ofx_plugin.formula_service import ROOT, FormulaModel, ServiceThread, formula

pytestmark = pytest.mark.host


@pytest.fixture(scope="module")
def large_shot() -> np.ndarray:
    """(17, 100, 200, 4) float32: 0.3 MiB a frame."""
    return np.random.default_rng(4).random((17, 100, 200, 4), dtype=np.float32)


def render_all(effect, shot) -> None:
    effect.set_clip("Source", ArrayClip(shot))
    for number in range(len(shot)):
        np.testing.assert_array_equal(effect.render(number), formula(shot[number], number))
    effect.check()


def test_frames_travel_through_shared_memory(make_effect, service, large_shot):
    render_all(make_effect("strict", service.address), large_shot)
    assert service.bytes_by_chunks == 0


def test_frames_travel_as_chunks_where_no_memory_is_shared(make_effect, runtime_dir, large_shot):
    service = ServiceThread(runtime_dir, FormulaModel(), limits=ServiceLimits(max_stores=0))
    try:
        render_all(make_effect("strict", service.address), large_shot)
        assert service.bytes_by_chunks > 0
    finally:
        service.stop()


@pytest.mark.parametrize("lie", ["client_nonce", "service_nonce"])
def test_memory_is_used_only_when_both_nonces_agree(make_effect, service, large_shot, monkeypatch, lie):
    """A service that maps other memory under that name, or repeats what it once saw, cannot know both."""
    sound = FrameStore.exchange_nonces

    def lying(store: FrameStore) -> tuple[bytes, bytes]:
        theirs, ours = sound(store)
        return (bytes(16), ours) if lie == "client_nonce" else (theirs, bytes(16))

    monkeypatch.setattr(FrameStore, "exchange_nonces", lying)
    render_all(make_effect("strict", service.address), large_shot)
    assert service.bytes_by_chunks > 0


@pytest.mark.parametrize("mebibytes", [0, 3, 7, 11])
def test_small_cache_costs_time_but_no_frame(make_effect, service, large_shot, monkeypatch, mebibytes):
    """A window is 5.2 MiB in and 4 MiB out: with 7 MiB some results share a slot, with 3 some sources are chunks."""
    monkeypatch.setenv("STEREO_CONVERT_CACHE_MB", str(mebibytes))
    render_all(make_effect("strict", service.address), large_shot)


class SilentServicer(stereo_convert_pb2_grpc.StereoConvertServiceServicer):
    """Never answers who shares memory, and tells by which name it was to be found."""

    def __init__(self) -> None:
        self.names: queue.SimpleQueue[str] = queue.SimpleQueue()

    def Describe(self, request: Any, context: Any) -> stereo_convert_pb2.DescribeResponse:  # noqa: N802
        return stereo_convert_pb2.DescribeResponse(contract_version=CONTRACT_VERSION, model_version="silent")

    def ShareFrameStore(self, request_iterator: Any, context: grpc.ServicerContext) -> Iterator:  # noqa: N802
        self.names.put(next(request_iterator).name)
        yield from request_iterator  # ends with the client


def test_a_host_killed_while_it_shares_memory_leaves_none(host_command, runtime_dir):
    servicer = SilentServicer()
    target = f"unix:{runtime_dir}/silent.sock"
    with ThreadPoolExecutor(4) as pool:
        server = grpc.server(pool)
        stereo_convert_pb2_grpc.add_StereoConvertServiceServicer_to_server(servicer, server)
        server.add_insecure_port(target)
        server.start()
        with subprocess.Popen(host_command("strict", target, "effect.render(0)"), cwd=ROOT) as host:
            name = servicer.names.get(timeout=60)
            host.kill()
        server.stop(None).wait()
    assert host.returncode == -signal.SIGKILL
    assert not (Path("/dev/shm") / name.removeprefix("/")).exists()


def test_trace_tells_where_the_time_went(make_effect, service, large_shot, runtime_dir, monkeypatch):
    trace = runtime_dir / "trace.jsonl"
    monkeypatch.setenv("STEREO_CONVERT_TRACE", str(trace))
    effect = make_effect("strict", service.address)
    effect.set_clip("Source", ArrayClip(large_shot))
    effect.render(0)
    effect.render(1)
    first, second = (json.loads(line) for line in trace.read_text().splitlines())
    assert (first["frame"], first["window_first"], first["window_length"], first["cached"]) == (0, -2, 17, False)
    assert (second["frame"], second["cached"], second["service_s"]) == (1, True, {})
    assert {"connect", "fetch", "hash", "copy_in", "wait", "copy_out"} == set(first["plugin_s"])
    assert "warp" in first["service_s"] and first["total_s"] >= sum(first["plugin_s"].values())
