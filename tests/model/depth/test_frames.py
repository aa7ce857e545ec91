"""Work on frames side by side: in order, and on threads that stay."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from model.depth.frames import each

FORKED = """
import os
from model.depth.frames import each
assert each(abs, [-1, -2]) == [1, 2]
child = os.fork()
if child == 0:
    os._exit(0 if each(abs, [-3, -4]) == [3, 4] else 1)
raise SystemExit(os.waitpid(child, 0)[1])
"""


def test_results_come_in_the_order_of_the_items():
    assert each(lambda value: value * value, range(50)) == [value * value for value in range(50)]


def test_all_calls_share_a_few_threads():
    seen = {thread for _ in range(20) for thread in each(lambda _: threading.current_thread(), range(8))}
    assert len(seen) <= 4


def test_an_error_reaches_the_caller_and_the_threads_live_on():
    with pytest.raises(ZeroDivisionError):
        each(lambda value: 1 // value, [1, 0, 1])
    assert each(abs, [-1]) == [1]


@pytest.mark.skipif(sys.platform == "win32", reason="no fork")
def test_a_forked_process_has_threads_of_its_own():
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", FORKED], timeout=120, check=False)
    assert done.returncode == 0
