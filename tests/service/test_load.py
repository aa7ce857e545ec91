from __future__ import annotations

import os

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


def test_a_footprint_counts_an_open_file_and_a_megabyte(tmp_path):
    before = footprint(os.getpid())
    with (tmp_path / "file").open("wb"):
        block = bytearray(os.urandom(32 << 20))
        after = footprint(os.getpid())
    assert after.files == before.files + 1
    assert after.resident_mib - before.resident_mib > 16
    assert len(block) == 32 << 20
