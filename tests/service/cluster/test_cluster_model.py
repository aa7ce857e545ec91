"""The same windows on a Ray cluster of this machine with two workers."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec

import numpy as np
import pytest

from model.settings import Settings
from service.client import ServiceClient
from service.wire.frame_wire import FrameFormat
from tests.service.ray_head import RayHead

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),  # a worker of Ray loads torch: minutes on a machine that is busy
    pytest.mark.skipif(find_spec("ray") is None, reason="the extra [cluster] is not installed"),
]

PICTURE = FrameFormat(64, 48, np.dtype("<f4"), 3)
SETTINGS = Settings(engine="stretch", window=1)
WAIT_S = 400.0


@pytest.fixture(scope="module")
def head() -> Iterator[RayHead]:
    """A head node with places for two workers."""
    with RayHead(places=2) as started:
        yield started


@pytest.fixture(scope="module")
def cluster(head) -> str:
    """Its address."""
    return head.address


@pytest.fixture(scope="module")
def cluster_model(cluster):
    from service.cluster.cluster_model import ClusterModel

    model = ClusterModel(cluster)
    wait_until(lambda: model.lanes() == 2)
    yield model
    model.close()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.1)


@pytest.fixture
def front(start_service, cluster, cluster_model):
    return start_service(model=cluster_model, cluster=cluster, limits={"result_cache_bytes": 0})


def pids(head: RayHead) -> set[int]:
    return {process.pid for process in head.workers()}


def frames(count: int) -> list[bytes]:
    return [np.random.default_rng(n).random(PICTURE.frame_bytes // 4, np.float32).tobytes() for n in range(count)]


def convert_all(service, sources: list[bytes], settings: Settings = SETTINGS) -> list[bytes]:
    """All frames as windows of their own, at the same time."""
    results = [b""] * len(sources)

    def one(number: int) -> None:
        with ServiceClient(service.target) as client:
            source = [sources[number]]
            window = client.convert(client.header(source, PICTURE, settings, wanted=[0]), source, timeout_s=WAIT_S)
            results[number] = bytes(window.frames[0])

    threads = [threading.Thread(target=one, args=(number,)) for number in range(len(sources))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_a_cluster_gives_the_bits_of_one_device(front, start_service, tmp_path):
    from service.torch_model import TorchModel

    tmp_path.chmod(0o700)
    alone = start_service(model=TorchModel(), runtime_dir=tmp_path)
    sources = frames(6)
    assert convert_all(front, sources) == convert_all(alone, sources)


def test_describe_shows_the_cluster_and_what_its_workers_have(front):
    with ServiceClient(front.target) as client:
        answer = client.describe(timeout_s=60)
    assert [device.name for device in answer.devices] == ["cluster"]
    assert "Draft" in [estimator.name for estimator in answer.depth_estimators]


def test_windows_of_a_worker_that_dies_are_computed_by_another_and_a_new_one_joins(head, front, cluster_model):
    sources = frames(24)
    whole = convert_all(front, sources)
    before = pids(head)
    assert len(before) == 2
    killer = threading.Timer(0.3, lambda: os.kill(min(before), signal.SIGKILL))
    killer.start()
    assert convert_all(front, sources, Settings(engine="stretch", window=1, disparity=2.5)) == whole
    killer.join()
    assert convert_all(front, sources) == whole
    wait_until(lambda: cluster_model.lanes() == 2 and len(pids(head) - before) == 1)


def test_what_a_model_refuses_reaches_the_client_by_code(front):
    import grpc

    with ServiceClient(front.target) as client, pytest.raises(grpc.RpcError) as refused:
        source = frames(1)
        client.convert(client.header(source, PICTURE, SETTINGS, wanted=[0], depth_estimator="Nobody"), source)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_cancelling_frees_the_worker(front):
    with ServiceClient(front.target) as client:
        source = frames(1)
        call = client.stub.ConvertWindow(iter([]), timeout=60)
        call.cancel()
        big = FrameFormat(640, 480, np.dtype("u1"), 3)
        heavy = [np.random.default_rng(n).integers(0, 255, big.frame_bytes, np.uint8).tobytes() for n in range(9)]
        import grpc

        with pytest.raises(grpc.RpcError) as stopped:
            client.convert(client.header(heavy, big), heavy, timeout_s=1.0)
        assert stopped.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert len(client.convert(client.header(source, PICTURE, SETTINGS, wanted=[0]), source).frames) == 1
    wait_until(lambda: front.shop.workers[0].load == 0)


def test_a_worker_that_somebody_has_stopped_is_ended_and_its_window_goes_to_another(
    head, front, cluster_model, monkeypatch
):
    """SIGSTOP: it keeps its connection, so Ray takes it for alive."""
    monkeypatch.setattr("service.cluster.cluster_members.SILENCE_S", 3.0)
    monkeypatch.setattr("service.cluster.cluster_model.SILENCE_S", 3.0)
    wait_until(lambda: cluster_model.lanes() == 2)
    before = pids(head)
    stopped = min(before)
    os.kill(stopped, signal.SIGSTOP)
    sources = frames(4)
    alone = convert_all(front, sources)
    assert all(alone)
    wait_until(lambda: cluster_model.lanes() == 2 and stopped not in pids(head))
    assert convert_all(front, sources) == alone


OTHER_FRONT = """
import hashlib, sys, time
import numpy as np
from model.settings import Settings
from service.cluster.cluster_model import ClusterModel
from service.stereo_model import WindowInput
model = ClusterModel(sys.argv[1])
until = time.monotonic() + 300
while model.lanes() < 2:
    assert time.monotonic() < until, "no worker came"
    time.sleep(0.1)
frames = np.random.default_rng(3).random((1, 3, 48, 64), np.float32)
window = WindowInput(frames, None, Settings(engine="stretch"), 0, (0,), "lite", "")
print(hashlib.sha256(model.convert(window, "cluster", lambda stage, fraction: None).images).hexdigest())
model.close()
"""


def test_two_fronts_share_the_workers_of_a_cluster_and_one_may_leave(head, front, cluster, cluster_model):
    """A worker holds a whole GPU, so a second front with workers of its own would wait for ever."""
    from service.stereo_model import WindowInput
    from service.torch_model import TorchModel

    wait_until(lambda: cluster_model.lanes() == 2)
    before = pids(head)
    other = subprocess.run([sys.executable, "-c", OTHER_FRONT, cluster], capture_output=True, text=True, check=True)
    pixels = np.random.default_rng(3).random((1, 3, 48, 64), np.float32)
    window = WindowInput(pixels, None, Settings(engine="stretch"), 0, (0,), "lite", "")
    own = TorchModel().convert(window, "cpu", lambda stage, fraction: None)
    assert other.stdout.strip() == hashlib.sha256(own.images.tobytes()).hexdigest()
    assert pids(head) == before
    assert all(convert_all(front, frames(4)))
