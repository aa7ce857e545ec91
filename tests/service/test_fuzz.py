from __future__ import annotations

import os
import random
import re

import pytest
from grpc import StatusCode
from stereoconvert.v1 import stereo_convert_pb2

from service.client import ServiceClient
from tests.service import fuzz, http2_garbage, watched_service
from tests.service.fuzz_messages import Conversations, attempt, spoil_bytes, spoil_field


def test_three_hundred_malformed_requests_leave_no_trace(runtime_dir):
    result = fuzz.run_fuzz(range(300), seed=7, folder=runtime_dir, rounds=3)
    assert not result.wrong
    assert sum(result.statuses.values()) == 300
    assert result.sound_windows == 3
    assert result.held[-1].regions == 1
    assert result.held[-1].files <= result.held[0].files + fuzz.CLIENTS
    kinds = {kind.split(":")[0] for kind in result.statuses}
    assert kinds == {
        "below gRPC", "spoiled fields", "spoiled bytes", "random bytes", "order of messages", "hostile metadata",
        "hang-up", "wrong token",
    }  # fmt: skip


def test_a_service_that_dies_hangs_or_talks_is_found_out(runtime_dir):
    service = fuzz.WatchedService(runtime_dir)
    with service:
        fuzzer = fuzz.Fuzzer(service, seed=1)
        (runtime_dir / watched_service.REPORT).write_text("open elsewhere\n")
        with (runtime_dir / "service.log").open("a") as log:
            log.write(f"Traceback {fuzzer._token}\n")
        service.process.kill()
        service.process.wait()
        fuzzer.run([1, 2, 3])
        fuzzer.close()
    wrong = "\n".join(fuzzer.result.wrong)
    for sign in (r"attempt \d, .*(UNAVAILABLE|crash)", "a sound window was refused", "ended with -9",
                 "outside its folder: open elsewhere", "in the log: Traceback", "the token is in the log"):  # fmt: skip
        assert re.search(sign, wrong), sign


def test_an_attempt_is_the_same_whenever_it_is_repeated(service):
    with ServiceClient(service.target) as client:
        sound = Conversations(client, bytes(16))
        client.header = _without_chance(client.header)  # pyright: ignore[reportAttributeAccessIssue]
        for number in range(50):
            first, second = (attempt(random.Random(number), sound, "token" * 8) for _ in range(2))
            assert first.messages == second.messages or first.kind == "wrong token"


def _without_chance(header):
    def made(*args, **fields):
        message = header(*args, **fields)
        message.request_id = bytes(16)
        return message

    return made


def test_spoiling_changes_a_message_but_not_its_type():
    changed = 0
    for number in range(200):
        chance = random.Random(number)
        message = stereo_convert_pb2.WindowHeader(session_id=bytes(16), contract_version=1000, wanted=[0])
        sound = message.SerializeToString()
        spoil_field(message, chance)
        changed += message.SerializeToString() != sound
        changed += spoil_bytes(sound, chance) != sound
    assert changed > 300


def test_hpack_lengths_follow_the_rfc():
    assert http2_garbage.header_block([(b"a", b"b" * 126)]) == b"\x10\x01a\x7e" + b"b" * 126
    assert http2_garbage.header_block([(b"a", b"b" * 127)]) == b"\x10\x01a\x7f\x00" + b"b" * 127
    # 1337 - 127 = 1210 = 9 * 128 + 58, the scheme of RFC 7541 C.1.2 with a prefix of 7 bits
    assert http2_garbage.header_block([(b"a", b"b" * 1337)])[:6] == b"\x10\x01a\x7f" + bytes((58 + 128, 9))


def test_a_sound_connection_below_grpc_is_answered(service):
    fields = [
        (b":method", b"POST"), (b":scheme", b"http"), (b":path", b"/stereoconvert.v1.StereoConvertService/Describe"),
        (b":authority", b"localhost"), (b"te", b"trailers"), (b"content-type", b"application/grpc"),
    ]  # fmt: skip
    call = http2_garbage.frame(http2_garbage.HEADERS, http2_garbage.END_HEADERS, 1, http2_garbage.header_block(fields))
    data = http2_garbage.frame(http2_garbage.DATA, http2_garbage.END_STREAM, 1, http2_garbage.grpc_message(b""))
    settings = http2_garbage.frame(http2_garbage.SETTINGS, 0, 0, b"")
    answer = http2_garbage.answer_to(service.config.socket_path, http2_garbage.PREFACE + settings + call + data, 10)
    assert b"fake-1" in answer


@pytest.mark.parametrize(
    ("event", "arguments", "paths"),
    [
        ("open", ("/a", "r", os.O_RDONLY), []),
        ("open", ("/a", "w", os.O_WRONLY | os.O_CREAT), ["/a"]),
        ("open", (7, "w", os.O_WRONLY), []),
        ("os.rename", ("/a", b"/b", -1, -1), ["/a", "/b"]),
        ("os.remove", ("/a", -1), ["/a"]),
        ("socket.bind", (None, "/s"), ["/s"]),
        ("socket.connect", (None, "/s"), []),
    ],
)
def test_what_an_audit_event_changes(event, arguments, paths):
    assert watched_service.changed_paths(event, arguments) == paths


def test_no_status_that_means_a_bug_is_allowed():
    assert not fuzz.ALLOWED & {StatusCode.INTERNAL, StatusCode.UNKNOWN, StatusCode.UNAVAILABLE}
