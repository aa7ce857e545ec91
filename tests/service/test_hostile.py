"""Whatever a client sends, it gets a status, and the others are served."""

from __future__ import annotations

import contextlib

import grpc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stereoconvert.v1 import frame_pb2, stereo_convert_pb2

from service.client import Request, ServiceClient

ALLOWED = {
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
}
FUZZ = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
numbers = st.sampled_from((0, 1, 2, 3, 48, 4095, 4096, 2**31 - 1, 2**32 - 1))
large = st.one_of(numbers, st.sampled_from((2**63 - 1, 2**63, 2**64 - 1)))
ids = st.one_of(st.just(bytes(16)), st.binary(max_size=20))
words = st.one_of(st.sampled_from(("", "lite", "Draft", "../x", "nobody")), st.text(max_size=80))


@pytest.fixture
def store_id(service, client):
    from service.client import SharedStore

    store = SharedStore(client.stub, 16384)
    yield store.store_id
    store.close()


def spoiled(header: stereo_convert_pb2.WindowHeader, data: st.DataObject) -> stereo_convert_pb2.WindowHeader:
    """A sound header with some of its fields replaced by anything."""
    header = stereo_convert_pb2.WindowHeader.FromString(header.SerializeToString())
    for _ in range(data.draw(st.integers(1, 3))):
        match data.draw(st.integers(0, 8)):
            case 0:
                header.contract_version = data.draw(numbers)
            case 1:
                header.session_id, header.request_id = data.draw(ids), data.draw(ids)
            case 2:
                header.frames[0].format.width = data.draw(numbers)
            case 3:
                header.frames[0].format.MergeFromString(bytes((0x18, data.draw(st.integers(0, 127)))))  # pixel_type
            case 4:
                header.wanted.extend(data.draw(st.lists(numbers, max_size=4)))
            case 5:
                header.frames[0].location.store_id = data.draw(ids)
                header.frames[0].location.offset_bytes = data.draw(large)
                header.frames[0].location.size_bytes = data.draw(large)
            case 6:
                header.inpainter, header.depth_estimator = data.draw(words), data.draw(words)
            case 7:
                header.settings.disparity = data.draw(st.floats(width=32))
                header.settings.window = data.draw(numbers)
            case _:
                header.frames.extend([header.frames[0]] * data.draw(st.integers(0, 100)))
    return header


def converse(client: ServiceClient, requests: list[Request]) -> None:
    """Send these and see only answers or an allowed status."""
    try:
        for _ in client.stub.ConvertWindow(iter(requests), timeout=10):
            pass
    except grpc.RpcError as error:
        assert isinstance(error, grpc.Call)
        assert error.code() in ALLOWED, (error.code(), error.details())


def assert_serves(client, small) -> None:
    frame = bytes(range(48))
    assert len(client.convert(client.header([frame], small), [frame]).frames) == 1


@FUZZ
@given(data=st.data())
def test_a_header_with_any_field_spoiled_is_refused_or_served(service, client, small, data):
    frame = bytes(48)
    header = spoiled(client.header([frame], small), data)
    chunk = frame_pb2.FrameChunk(content_key=header.frames[0].content_key, data=frame)
    converse(client, [Request(header=header), Request(chunk=chunk)])
    assert_serves(client, small)


@FUZZ
@given(
    pieces=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 60), st.integers(0, 60)), max_size=6),
    end=st.booleans(),
)
def test_any_order_of_messages_is_refused_or_served(service, client, small, pieces, end):
    frame = bytes(48)
    header = client.header([frame], small)
    key = header.frames[0].content_key
    kinds = [
        lambda offset, size: Request(
            chunk=frame_pb2.FrameChunk(content_key=key, offset_bytes=offset, data=bytes(size))
        ),
        lambda offset, size: Request(release_slot=frame_pb2.StoreLocation(offset_bytes=offset, size_bytes=size)),
        lambda offset, size: Request(header=header),
    ]
    requests = [Request(header=header)] if end else []
    converse(client, requests + [kinds[kind](offset, size) for kind, offset, size in pieces])
    assert_serves(client, small)


@FUZZ
@given(payload=st.binary(max_size=200))
def test_random_bytes_instead_of_messages_get_a_status(service, client, small, payload):
    for method in ("ConvertWindow", "ShareFrameStore", "Describe", "CancelWindow"):
        call = client._channel.stream_stream(f"/stereoconvert.v1.StereoConvertService/{method}")
        answers = call(iter([payload]), timeout=10)
        with contextlib.suppress(grpc.RpcError):
            list(answers)
        assert answers.code() in {grpc.StatusCode.OK, *ALLOWED}, (method, answers.details())
    assert_serves(client, small)


@pytest.mark.parametrize("method", ["ConvertWindow", "ShareFrameStore", "Describe", "CancelWindow"])
def test_a_damaged_message_is_the_fault_of_who_sent_it(service, client, method):
    call = client._channel.stream_stream(f"/stereoconvert.v1.StereoConvertService/{method}")
    with pytest.raises(grpc.RpcError) as refused:
        list(call(iter([b"\xff"]), timeout=10))
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "damaged" in (refused.value.details() or "")


@FUZZ
@given(name=words, size=large)
def test_any_store_request_gets_a_status(service, client, small, name, size):
    requests = [stereo_convert_pb2.ShareFrameStoreRequest(name=name, size_bytes=size)]
    with pytest.raises(grpc.RpcError) as refused:
        list(client.stub.ShareFrameStore(iter(requests), timeout=10))
    assert refused.value.code() in ALLOWED
    assert len(service.shop.stores) == 0


def test_after_all_that_nothing_is_left(service, client, small, store_id, eventually):
    frame = bytes(48)
    for offset, size in ((0, 48), (4096, 2**64 - 1), (2**64 - 64, 64), (16384 - 64, 128)):
        header = client.header([frame], small)
        header.frames[0].location.CopyFrom(
            frame_pb2.StoreLocation(store_id=store_id, offset_bytes=offset, size_bytes=size)
        )
        converse(client, [Request(header=header)])
    eventually(lambda: not service.shop.calls and all(worker.load == 0 for worker in service.shop.workers))
