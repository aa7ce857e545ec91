"""The service as a process of its own."""

from __future__ import annotations

import os
import queue
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import grpc
import numpy as np
import pytest
from stereoconvert.v1 import frame_pb2

from model.settings import Settings
from service.client import Request, ServiceClient
from service.wire.frame_wire import FrameFormat

WAIT_S = 60


@pytest.fixture
def spawn(runtime_dir):
    """Start `python -m service serve` with further flags; kill it in the end."""
    started = []

    def start(*flags: str) -> subprocess.Popen:
        command = [sys.executable, "-m", "service", "serve", "--no-warm-up", "--exit-with-parent", *flags]
        environment = {**os.environ, "STEREO_CONVERT_RUNTIME_DIR": str(runtime_dir)}
        process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def listening(runtime_dir):
    """Wait until the default socket answers."""

    def wait() -> None:
        quick = (("grpc.initial_reconnect_backoff_ms", 50), ("grpc.max_reconnect_backoff_ms", 200))
        with grpc.insecure_channel(f"unix:{runtime_dir}/service.sock", quick) as channel:
            grpc.channel_ready_future(channel).result(WAIT_S)

    return wait


def test_a_second_instance_leaves_at_once_and_says_so(spawn, listening, runtime_dir):
    spawn()
    listening()
    second = spawn()
    _, log = second.communicate(timeout=WAIT_S)
    assert (second.returncode, "a service runs already" in log) == (0, True)
    with ServiceClient(f"unix:{runtime_dir}/service.sock") as client:
        assert client.describe(timeout_s=60).contract_version == 1000


def state_of(pid: int) -> str:
    """Of a process: S, R, T (stopped), ..."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_a_second_instance_wakes_one_that_was_stopped(spawn, listening, runtime_dir, eventually):
    """Else who stopped a service that a plugin had started would leave it, and all hosts without one, for ever."""
    first = spawn()
    listening()
    first.send_signal(signal.SIGSTOP)
    eventually(lambda: state_of(first.pid) == "T")
    second = spawn()
    _, log = second.communicate(timeout=WAIT_S)
    assert (second.returncode, "it was stopped, and goes on" in log) == (0, True)
    with ServiceClient(f"unix:{runtime_dir}/service.sock") as client:
        assert client.describe(timeout_s=WAIT_S).contract_version == 1000


def test_a_stopped_process_that_is_no_service_stays_stopped(spawn, listening, runtime_dir, eventually):
    """The number in the lock's file may be that of another process, as where a container has other numbers."""
    spawn()
    listening()
    other = subprocess.Popen(["sleep", "600"])
    try:
        other.send_signal(signal.SIGSTOP)
        eventually(lambda: state_of(other.pid) == "T")
        (runtime_dir / "service.lock").write_text(f"{other.pid}\n")
        second = spawn()
        _, log = second.communicate(timeout=WAIT_S)
        assert (second.returncode, "goes on" in log, state_of(other.pid)) == (0, False, "T")
    finally:
        other.kill()
        other.wait()


def test_after_kill_9_the_next_instance_takes_over(spawn, listening, runtime_dir):
    first = spawn()
    listening()
    first.send_signal(signal.SIGKILL)
    first.wait(WAIT_S)
    assert (runtime_dir / "service.sock").exists(), "the stale socket is still there"
    spawn()
    listening()


def test_after_kill_9_results_come_from_disk_or_if_that_is_damaged_anew(
    spawn, listening, runtime_dir, tmp_path, eventually, make_frames
):
    """Three lives of a service with one cache folder: computed, killed; remembered, killed; damaged, computed."""
    picture, folder = FrameFormat(16, 12, np.dtype("<f4"), 3), tmp_path / "cache"
    frames, asked = make_frames(picture, 1), Settings(engine="stretch", window=1)
    found, told = [], []
    for life in range(3):
        process = spawn("--cache-dir", str(folder), "--cache-disk-mb", "8")
        listening()
        with ServiceClient(f"unix:{runtime_dir}/service.sock") as client:
            window = client.convert(client.header(frames, picture, asked, wanted=[0]), frames, timeout_s=WAIT_S)
            found.append(bytes(window.frames[0]))
        eventually(lambda: len(list(folder.glob("*.entry"))) == 2)  # depth and result
        process.send_signal(signal.SIGKILL)
        told.append(process.communicate(timeout=WAIT_S)[1])
        if life == 1:
            for path in folder.glob("*.entry"):
                path.write_bytes(path.read_bytes()[:-1])
    assert found[0] == found[1] == found[2]
    assert ["remembered" in log for log in told] == [False, True, False]
    assert "is damaged and is dropped" in told[2]


def test_sigterm_leaves_in_good_order(spawn, listening, runtime_dir):
    process = spawn("--drain", "1")
    listening()
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=WAIT_S)
    assert process.returncode == 0
    assert log.rstrip().endswith("left")
    assert not (runtime_dir / "service.sock").exists()


def begun(target: str, picture: FrameFormat, sources: list[bytes]):
    """A call whose window is being filled; a queue that keeps its stream open comes with it."""
    client, requests = ServiceClient(target), queue.SimpleQueue()
    header = client.header(sources, picture, Settings(steps=8, dilation=9), wanted=[8])
    requests.put(Request(header=header))
    for reference, source in zip(header.frames, sources, strict=True):
        requests.put(Request(chunk=frame_pb2.FrameChunk(content_key=reference.content_key, data=source)))
    call = client.stub.ConvertWindow(iter(requests.get, None), timeout=600)
    while next(call).progress.stage in ("", "queued", "transport", "depth", "warp"):
        pass
    return call, requests


def ended(call) -> grpc.StatusCode:
    """How a call ends."""
    with suppress(grpc.RpcError):
        for _ in call:
            pass
    return call.code()


def test_a_window_too_long_to_wait_for_is_cut_off_and_its_client_told_to_come_back(spawn, listening, runtime_dir):
    """Torch is at work when the process ends; Python's own farewell would abort it then."""
    process = spawn("--drain", "0.1")
    listening()
    picture = FrameFormat(896, 504, np.dtype("u1"), 3)
    sources = [np.random.default_rng(n).integers(0, 255, picture.frame_bytes, np.uint8).tobytes() for n in range(17)]
    call, requests = begun(f"unix:{runtime_dir}/service.sock", picture, sources)
    process.send_signal(signal.SIGTERM)
    assert ended(call) is grpc.StatusCode.UNAVAILABLE
    _, log = process.communicate(timeout=WAIT_S)
    assert (process.returncode, "still at work" in log, "terminate called" in log) == (0, True, False)
    requests.put(None)


def test_a_second_sigterm_waits_for_no_window(spawn, listening, runtime_dir, small):
    """The window waits for frames that never come, so without the second signal its client would be told of a stall."""
    process = spawn("--drain", "600")
    listening()
    requests = queue.SimpleQueue()
    with ServiceClient(f"unix:{runtime_dir}/service.sock") as client:
        requests.put(Request(header=client.header([bytes(48)], small)))
        call = client.stub.ConvertWindow(iter(requests.get, None), timeout=600)
        assert next(call).WhichOneof("message") == "frames_needed"
        assert process.stderr is not None
        process.send_signal(signal.SIGTERM)
        while "1 windows under way have 600 s" not in (line := process.stderr.readline()):
            assert line
        process.send_signal(signal.SIGTERM)
        assert ended(call) is grpc.StatusCode.UNAVAILABLE
    _, log = process.communicate(timeout=WAIT_S)
    requests.put(None)
    assert (process.returncode, "told again to leave" in log) == (0, True)


def test_an_idle_service_leaves(spawn):
    process = spawn("--idle-exit", "0.2")
    _, log = process.communicate(timeout=WAIT_S)
    assert (process.returncode, "idle for 0.2 s" in log) == (0, True)


def test_a_service_whose_socket_is_gone_leaves(spawn, listening, runtime_dir):
    """Its folder was removed, as that of a test: nobody could ever reach it, or end it by its lock."""
    process = spawn()
    listening()
    (runtime_dir / "service.sock").unlink()
    _, log = process.communicate(timeout=WAIT_S)
    assert (process.returncode, "is gone, so nobody can connect" in log) == (0, True)


STARTER = """
import subprocess, sys
service = subprocess.Popen([sys.executable, "-m", "service", "serve", "--no-warm-up", "--exit-with-parent"])
print(service.pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("stopped", [False, True])
def test_a_service_ends_with_the_process_that_started_it(listening, runtime_dir, eventually, stopped):
    """kill -9 of the starter; and of one whose service somebody has stopped, so that it cannot end by itself."""
    environment = {**os.environ, "STEREO_CONVERT_RUNTIME_DIR": str(runtime_dir)}
    command = [sys.executable, "-c", STARTER]
    starter = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    service = int(starter.stdout.readline())
    listening()
    if stopped:
        os.kill(service, signal.SIGSTOP)
    starter.kill()
    starter.communicate()
    eventually(lambda: not _is_alive(service))


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_an_address_that_is_not_loopback_is_refused_with_a_usage_error(spawn):
    process = spawn("--listen", "0.0.0.0:7733")
    _, log = process.communicate(timeout=WAIT_S)
    assert (process.returncode, "only over TLS" in log) == (2, True)


def test_a_port_that_is_taken_is_an_error_in_our_words(spawn):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        process = spawn("--listen", address)
        _, log = process.communicate(timeout=WAIT_S)
    assert process.returncode == 1
    assert f"error: cannot listen on {address}" in log
    assert "Traceback" not in log


def test_a_file_in_place_of_the_socket_is_never_lost(spawn, runtime_dir):
    film = runtime_dir / "film.mov"
    film.write_text("precious")
    process = spawn("--socket", str(film))
    _, log = process.communicate(timeout=WAIT_S)
    assert (process.returncode, "is no socket" in log) == (1, True)
    assert film.read_text() == "precious"


def test_it_listens_before_torch_is_loaded():
    seen = "import sys; print('torch' in sys.modules, 'cv2' in sys.modules)"
    check = "from service.command_line import parse_command; parse_command(['serve'])"
    code = f"{check}; import service.serve, service.chosen_model, service.torch_model; {seen}"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=WAIT_S, check=True)
    assert output.stdout.split() == ["False", "False"]


def test_a_client_killed_in_mid_window_leaves_nothing_behind(service, small, eventually):
    """kill -9 of a process that shares a store and waits for a window."""
    service.model.gate.clear()
    client = subprocess.Popen([sys.executable, "-c", _CLIENT, service.target], stdout=subprocess.PIPE, text=True)
    try:
        assert service.model.running.wait(WAIT_S)
        assert len(service.shop.stores) == 1
        assert client.stdout is not None
        region = client.stdout.readline().strip()
        assert region in _mappings()
    finally:
        client.kill()
        client.communicate()
    eventually(service.is_at_rest)
    eventually(lambda: region not in _mappings())
    service.model.gate.set()
    with ServiceClient(service.target) as other:
        frame = bytes(48)
        assert len(other.convert(other.header([frame], small), [frame]).frames) == 1


def _mappings() -> str:
    with open("/proc/self/maps") as file:
        return file.read()


_CLIENT = """
import sys
import numpy as np
from service.client import Request, ServiceClient, SharedStore
from service.wire.frame_wire import FrameFormat
with ServiceClient(sys.argv[1]) as client:
    store = SharedStore(client.stub, 16384)
    print(store.region.name.removeprefix("/"), flush=True)
    header = client.header([bytes(48)], FrameFormat(4, 3, np.dtype("u1"), 4))
    header.frames[0].location.CopyFrom(store.location(4096, 48))
    header.output_slots.append(store.location(8192, 48))
    client.convert(header)
"""
