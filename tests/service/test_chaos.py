from __future__ import annotations

import socket
import threading
from importlib.util import find_spec

import pytest

from tests.service.chaos import Chaos
from tests.service.cut_socket import CutSocket
from tests.service.ray_head import RayHead


@pytest.mark.slow
def test_batches_end_with_all_frames_right_whatever_happens(runtime_dir):
    chaos = Chaos(runtime_dir, seed=7)
    try:
        chaos.run(faults=20)
    finally:
        chaos.close()
    assert chaos.faults.total() >= 20


def test_a_cut_ends_both_sides_and_the_next_connection_works(runtime_dir):
    before = set(threading.enumerate())
    target = socket.socket(socket.AF_UNIX)
    target.bind(str(runtime_dir / "target"))
    target.listen()
    way = CutSocket(runtime_dir / "way", runtime_dir / "target")
    for _ in range(2):
        near = socket.socket(socket.AF_UNIX)
        near.settimeout(5)
        near.connect(str(runtime_dir / "way"))
        far, _ = target.accept()
        far.settimeout(5)
        near.sendall(b"there")
        assert far.recv(9) == b"there"
        far.sendall(b"back")
        assert near.recv(9) == b"back"
        assert way.cut() == 2
        assert near.recv(9) == far.recv(9) == b""
        near.close()
        far.close()
    way.close()
    target.close()
    assert set(threading.enumerate()) <= before


@pytest.mark.slow
@pytest.mark.skipif(find_spec("ray") is None, reason="the extra [cluster] is not installed")
def test_batches_end_with_all_frames_right_when_the_workers_of_a_cluster_die(runtime_dir):
    with RayHead() as ray:
        chaos = Chaos(runtime_dir, seed=3, ray=ray)
        try:
            chaos.run(faults=10)
        finally:
            chaos.close()
    assert chaos.faults["kill -9 Ray worker"] >= 1
