from __future__ import annotations

import re
import socket
import sys
import urllib.request
from types import SimpleNamespace

import grpc
import pytest

from service.caches.disk_store import DiskStore
from service.caches.spill import Spill
from service.client import ServiceClient
from service.errors import CannotListenError
from service.watching.metrics import Metrics
from tests.service.window_calls import status


@pytest.fixture
def watched(start_service):
    return start_service(metrics_port=0, listen="127.0.0.1:0")


def figures(service) -> dict[str, float]:
    """What Prometheus reads, over HTTP."""
    with urllib.request.urlopen(f"http://127.0.0.1:{service.running.metrics.port}/metrics", timeout=60) as page:
        lines = page.read().decode().splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}


def test_windows_stages_retention_and_caches_are_counted(watched, small, make_frames):
    frames = make_frames(small, 5)
    for _ in range(2):  # the second comes out of the cache
        with ServiceClient(watched.target) as client:
            client.convert(client.header(frames, small, wanted=[1, 2]), frames)
    found = figures(watched)
    assert (found["stereo_windows_total"], found["stereo_frames_total"]) == (2, 4)
    assert found['stereo_stage_seconds_count{stage="depth"}'] == 1
    assert found['stereo_stage_seconds_sum{stage="depth"}'] == 0.25
    for stage in ("receive", "queue", "decode", "deliver", "whole"):
        assert found[f'stereo_stage_seconds_count{{stage="{stage}"}}'] == 2
    assert (found["stereo_retention_ratio_count"], found["stereo_retention_ratio_sum"]) == (1, 0.5)
    assert found['stereo_cache_lookups_total{cache="results",result="hit"}'] == 1
    assert found['stereo_cache_lookups_total{cache="results",result="miss"}'] == 1
    assert found['stereo_cache_bytes{cache="frames"}'] == 2 * 5 * small.frame_bytes
    assert found["stereo_sessions"] == 2
    assert found["process_resident_memory_bytes"] > 0


def test_the_queue_shows_what_waits(watched, small, make_frames, eventually):
    watched.model.gate.clear()
    frames = make_frames(small, 1)
    with ServiceClient(watched.target) as client:
        call = client.stub.ConvertWindow(iter([]), timeout=60)
        assert figures(watched)['stereo_queued_windows{device="cpu"}'] == 0
        call.cancel()
        job = watched.shop.workers[0].submit(lambda progress: None)
        job.future.result(60)
        blocked = watched.shop.workers[0].submit(lambda progress: watched.model.gate.wait(60))
        watched.shop.workers[0].submit(lambda progress: frames)
        assert figures(watched)['stereo_queued_windows{device="cpu"}'] == 2
        watched.model.gate.set()
        blocked.future.result(60)


def test_errors_are_counted_by_code(watched, small, make_frames):
    frames = make_frames(small, 1)
    watched.model.errors = [KeyError("bug")]
    with ServiceClient(watched.target) as client:
        for header in (client.header(frames, small), client.header([], small)):
            status(lambda header=header: client.convert(header, frames))
        watched.model.gate.clear()
        late = client.header(frames, small)
        assert status(lambda: client.convert(late, frames, timeout_s=0.1))[0] is grpc.StatusCode.DEADLINE_EXCEEDED
    with ServiceClient(f"127.0.0.1:{watched.running.port}", "wrong") as client:
        status(lambda: client.describe(timeout_s=60))
    found = figures(watched)
    codes = {re.findall('"(.*)"', name)[0]: count for name, count in found.items() if "errors_total" in name}
    assert codes.pop("DEADLINE_EXCEEDED", 0) + codes.pop("CANCELLED", 0) == 1
    assert codes == {"INTERNAL": 1, "INVALID_ARGUMENT": 1, "UNAUTHENTICATED": 1}


@pytest.mark.parametrize("is_on", [True, False])
def test_a_disk_that_failed_shows(watched, tmp_path, is_on):
    watched.shop.spill = Spill(DiskStore(tmp_path / "cache", 1 << 20), "1")
    watched.shop.spill.is_on = is_on
    assert figures(watched)["stereo_disk_cache_on"] == is_on
    watched.shop.spill.close(60.0)


def test_memory_of_each_gpu_is_told_once_torch_is_loaded(start_service, monkeypatch):
    """Torch is played: there is no GPU where tests run."""
    held = {"cuda:0": 5 << 20, "cuda:1": 7 << 20}
    monkeypatch.setattr("service.server.resolve_devices", list)
    service = start_service(metrics_port=0, devices=("cuda:0", "cuda:1"))
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    assert not any("gpu_memory" in name for name in figures(service))
    cuda = SimpleNamespace(is_available=lambda: True, memory_reserved=held.__getitem__)
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))
    found = figures(service)
    assert {device: found[f'stereo_gpu_memory_bytes{{device="{device}"}}'] for device in held} == held


def test_nobody_listens_unless_asked(service):
    assert service.running.metrics is None


def test_a_port_that_is_taken_is_an_error_in_our_words():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(CannotListenError, match="--metrics-port"):
            Metrics().listen(taken.getsockname()[1])
