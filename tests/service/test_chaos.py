from __future__ import annotations

import socket
import threading

import pytest

from tests.service.chaos import Chaos
from tests.service.cut_socket import CutSocket


@pytest.mark.slow
def test_batches_end_with_all_frames_right_whatever_happens(runtime_dir):
    chaos = Chaos(runtime_dir, seed=7)
    try:
        chaos.run(faults=20)
    finally:
        chaos.close()
    assert chaos.faults.total() >= 20


def test_a_cut_ends_both_sides_and_the_next_connection_works(runtime_dir):
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
    assert threading.active_count() < 50
