from __future__ import annotations

import subprocess
import sys

import pytest

from tests.service.footprint import footprint
from tests.service.load import run_load


@pytest.mark.slow
def test_twenty_clients_share_one_service_and_all_answers_are_right():
    result = run_load(seconds=20.0)
    assert not result.wrong
    assert result.unfairness < 0.2 + result.one_window
    assert result.growth < 0.1
    assert result.more_files < 10


_HOARDER = """
import os, sys
print(flush=True); sys.stdin.readline()
kept = open(sys.argv[1], "wb"), os.urandom(32 << 20)
print(flush=True); sys.stdin.readline()
"""


def test_a_footprint_counts_an_open_file_and_a_megabyte(tmp_path):
    # A process of its own: in this one other tests' threads and files come and go.
    command = [sys.executable, "-c", _HOARDER, str(tmp_path / "file")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as hoarder:
        assert hoarder.stdin and hoarder.stdout
        hoarder.stdout.readline()
        before = footprint(hoarder.pid)
        hoarder.stdin.write(b"\n")
        hoarder.stdout.readline()
        after = footprint(hoarder.pid)
        hoarder.stdin.write(b"\n")
    assert (after.files, after.threads, after.regions) == (before.files + 1, 1, 0)
    assert after.resident_mib - before.resident_mib > 16
