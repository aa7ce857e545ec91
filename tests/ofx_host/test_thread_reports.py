"""A report counts when our code did what it tells of, and not when gRPC hands its own memory around."""

from __future__ import annotations

import pytest

from tests.ofx_host import thread_reports

RACE = """==================
WARNING: ThreadSanitizer: data race (pid=1)
  Write of size 8 at 0x7b1 by thread T2:
    #0 free <null> (libtsan.so.2+0x1)
    #1 <null> <null> (Plugin.ofx+{write})
    #2 <null> <null> (Plugin.ofx+{caller})

  Previous read of size 8 at 0x7b1 by main thread:
    #0 <null> <null> (Plugin.ofx+{read})

  Location is heap block of size 8 at 0x7b1 allocated by thread T2:
    #0 <null> <null> (Plugin.ofx+0x22)
==================
"""
UNLOCK = """==================
WARNING: ThreadSanitizer: unlock of an unlocked mutex (or by a wrong thread) (pid=1)
    #0 pthread_mutex_unlock <null> (libtsan.so.2+0x1)
    #1 <null> <null> (Plugin.ofx+0x44)
    #2 <null> <null> (Plugin.ofx+{caller})

  Mutex M1 (0x7b1) created at:
    #0 <null> <null> (Plugin.ofx+0x22)
==================
"""
NAMES = {
    "0x11": "grpc_core::Arena::~Arena()",
    "0x22": "stereo_convert::FrameStore::find(...)",
    "0x33": "tcp_send",
    "0x44": "void std::unique_lock<std::timed_mutex>::unlock()",
}


@pytest.fixture(autouse=True)
def names(monkeypatch):
    monkeypatch.setattr(thread_reports, "function_names", lambda addresses, plugin: NAMES)


@pytest.mark.parametrize(
    ("write", "caller", "read", "count"),
    [
        ("0x11", "0x22", "0x33", 0),
        ("0x22", "0x11", "0x33", 0),
        ("0x11", "0x22", "0x22", 0),
        ("0x22", "0x11", "0x22", 1),
        ("0x44", "0x22", "0x22", 1),
        ("0x44", "0x22", "0x44", 0),
    ],
)
def test_a_race_is_ours_when_both_accesses_are(tmp_path, write, caller, read, count):
    races = thread_reports.accusing(RACE.format(write=write, caller=caller, read=read), tmp_path / "Plugin.ofx")
    assert len(races) == count
    assert all("stereo_convert::FrameStore" in race for race in races)


@pytest.mark.parametrize(("caller", "count"), [("0x22", 1), ("0x11", 0)])
def test_misuse_of_a_mutex_is_that_of_whoever_called_the_library(tmp_path, caller, count):
    assert len(thread_reports.accusing(UNLOCK.format(caller=caller), tmp_path / "Plugin.ofx")) == count
