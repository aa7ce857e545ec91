"""A race counts when one of its accesses is in our code, and not when gRPC hands its own memory around."""

from __future__ import annotations

import pytest

from tests.ofx_host import thread_reports

RACE = """==================
WARNING: ThreadSanitizer: data race (pid=1)
  Write of size 8 at 0x7b1 by thread T2:
    #0 free <null> (libtsan.so.2+0x1)
    #1 <null> <null> (Plugin.ofx+{write})
    #2 <null> <null> (Plugin.ofx+0x99)

  Previous read of size 8 at 0x7b1 by main thread:
    #0 <null> <null> (Plugin.ofx+{read})

  Location is heap block of size 8 at 0x7b1 allocated by thread T2:
    #0 <null> <null> (Plugin.ofx+0x77)
==================
"""
NAMES = {"0x11": "grpc_core::Arena::~Arena()", "0x22": "stereo_convert::FrameStore::find(...)", "0x33": "tcp_send"}


@pytest.mark.parametrize(("write", "read", "count"), [("0x11", "0x33", 0), ("0x22", "0x33", 1), ("0x11", "0x22", 1)])
def test_only_our_accesses_accuse_us(monkeypatch, tmp_path, write, read, count):
    monkeypatch.setattr(thread_reports, "function_names", lambda addresses, plugin: NAMES)
    races = thread_reports.accusing(RACE.format(write=write, read=read), tmp_path / "Plugin.ofx")
    assert len(races) == count
    assert all("stereo_convert::FrameStore" in race for race in races)
