from __future__ import annotations

import os
import queue
import stat
import threading

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from stereoconvert.v1 import stereo_convert_pb2

from service.client import ServiceClient, SharedStore
from service.serve import SERVICE_NAME
from service.wire.shared_region import SharedRegion

STORE_BYTES = 16384


def share(client: ServiceClient, *requests):
    """Open a ShareFrameStore stream that ends after these requests; return its call."""
    return client.stub.ShareFrameStore(iter(requests), timeout=60)


def named(name: str) -> stereo_convert_pb2.ShareFrameStoreRequest:
    return stereo_convert_pb2.ShareFrameStoreRequest(name=name, size_bytes=STORE_BYTES)


def code_of(call) -> grpc.StatusCode:
    with pytest.raises(grpc.RpcError) as caught:
        list(call)
    assert isinstance(caught.value, grpc.Call)
    return caught.value.code()


@pytest.fixture
def region():
    shared = SharedRegion(STORE_BYTES)
    yield shared
    shared.unlink()


def test_describe_tells_versions_devices_models_and_limits(service, client):
    answer = client.describe(timeout_s=60)
    assert (answer.contract_version, answer.model_version) == (1000, "fake-1")
    assert [device.name for device in answer.devices] == ["cpu"]
    assert answer.devices[0].memory_bytes > 0
    assert [(entry.name, entry.available) for entry in answer.inpainters] == [("lite", True)]
    assert [entry.name for entry in answer.depth_estimators] == ["Draft"]
    assert (answer.limits.max_window, answer.limits.max_chunk_bytes) == (81, 2 << 20)
    assert answer.uptime_s >= 0


def test_describe_answers_while_a_window_runs(service, client, small, make_frames):
    service.model.gate.clear()
    frames = make_frames(small, 1)
    window = threading.Thread(target=client.convert, args=(client.header(frames, small), frames))
    window.start()
    assert service.model.running.wait(60)
    assert client.describe(timeout_s=60).devices[0].queued_windows == 1
    service.model.gate.set()
    window.join()


def test_sharing_a_store_proves_that_memory_is_the_same(service, client):
    store = SharedStore(client.stub, STORE_BYTES)
    assert len(service.shop.stores) == 1
    store.close()
    assert len(service.shop.stores) == 0


def test_a_store_ends_when_its_client_hangs_up(service, client, region, eventually):
    messages: queue.SimpleQueue = queue.SimpleQueue()
    messages.put(region.request())
    call = client.stub.ShareFrameStore(iter(messages.get, None))
    assert len(next(call).store_id) == 16
    call.cancel()
    messages.put(None)
    eventually(lambda: len(service.shop.stores) == 0)


def test_two_stores_have_two_ids(client):
    first, second = (SharedStore(client.stub, STORE_BYTES) for _ in range(2))
    assert first.store_id != second.store_id


def test_store_errors_have_the_codes_of_the_proto(start_service, region):
    service = start_service(limits={"max_stores": 1})
    with ServiceClient(service.target) as client:
        assert code_of(share(client, named("/other"))) is grpc.StatusCode.INVALID_ARGUMENT
        assert code_of(share(client, region.request(8191))) is grpc.StatusCode.INVALID_ARGUMENT
        assert code_of(share(client, region.request(STORE_BYTES + 1))) is grpc.StatusCode.INVALID_ARGUMENT
        assert code_of(share(client)) is grpc.StatusCode.INVALID_ARGUMENT
        missing = named("/stereo-" + "0" * 20)
        assert code_of(share(client, missing)) is grpc.StatusCode.NOT_FOUND
        kept = SharedStore(client.stub, STORE_BYTES)
        assert code_of(share(client, region.request())) is grpc.StatusCode.RESOURCE_EXHAUSTED
        kept.close()


def test_a_stream_shares_one_store_only(client, region):
    assert code_of(share(client, region.request(), region.request())) is grpc.StatusCode.INVALID_ARGUMENT


def test_the_socket_is_ours_alone(service):
    assert stat.S_IMODE(os.stat(service.config.socket_path).st_mode) == 0o600


def test_health_says_serving(service):
    with grpc.insecure_channel(service.target) as channel:
        check = vars(health_pb2_grpc.HealthStub(channel))["Check"]  # the generated stub has no types
        for name in ("", SERVICE_NAME):
            answer = check(health_pb2.HealthCheckRequest(service=name), timeout=60)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_reflection_lists_the_service(service):
    with grpc.insecure_channel(service.target) as channel:
        reflect = vars(reflection_pb2_grpc.ServerReflectionStub(channel))["ServerReflectionInfo"]
        asked = reflection_pb2.ServerReflectionRequest(list_services="")
        (answer,) = reflect(iter([asked]), timeout=60)
    assert SERVICE_NAME in [entry.name for entry in answer.list_services_response.service]


def test_draining_lets_a_running_window_finish_and_refuses_others(service, client, small, make_frames, eventually):
    service.model.gate.clear()
    frames = make_frames(small, 1)
    results = []
    running = threading.Thread(target=lambda: results.append(client.convert(client.header(frames, small), frames)))
    running.start()
    assert service.model.running.wait(60)
    stopping = threading.Thread(target=service.call, args=(service.running.stop(drain_s=60),))
    stopping.start()
    eventually(lambda: service.shop.draining)
    with pytest.raises(grpc.RpcError) as refused:
        client.convert(client.header(frames, small), frames, timeout_s=60)
    service.model.gate.set()
    running.join(60)
    stopping.join(60)
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    assert len(results[0].frames) == 1


def test_an_open_store_is_no_activity_and_a_window_is(service, client):
    activity = service.running.servicer.activity
    store = SharedStore(client.stub, STORE_BYTES)
    assert activity.idle_s > 0.0
    with activity.window():
        assert activity.idle_s == 0.0
    assert activity.idle_s > 0.0
    store.close()


def test_two_clients_at_once_get_their_own_frames(service, small, make_frames):
    frames = make_frames(small, 9)
    left = {}

    def convert(number: int) -> None:
        from model.settings import Settings

        with ServiceClient(service.target) as client:
            mine = [frames[number]]
            left[number] = bytes(client.convert(client.header(mine, small, Settings(output="left")), mine).frames[0])

    threads = [threading.Thread(target=convert, args=(number,)) for number in range(9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert left == dict(enumerate(frames))
    assert np.unique([np.frombuffer(frame, np.uint8).sum() for frame in frames]).size > 1
