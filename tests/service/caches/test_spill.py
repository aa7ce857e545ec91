"""What is spilled outlives its process, is of one model version, and never harms a window."""

from __future__ import annotations

import logging
import resource
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model.settings import Settings
from service.caches.disk_store import DiskStore
from service.caches.entry_file import Entry
from service.caches.frame_cache import FrameCache
from service.caches.result_cache import ResultCache
from service.caches.spill import Spill
from service.stereo_model import WindowInput, WindowOutput

MIB, WAIT_S = 1 << 20, 60.0
ENTRY = Entry((np.arange(5.0),), {"told": "so"})


@pytest.fixture
def open_spill(tmp_path):
    """A spill in one folder, closed in the end."""
    opened = []

    def begin(version: str = "1", **more) -> Spill:
        opened.append(Spill(DiskStore(tmp_path / "cache", 8 * MIB), version, **more))
        return opened[-1]

    yield begin
    for spill in opened:
        spill.close(WAIT_S)


def test_another_process_finds_what_was_kept(open_spill):
    first = open_spill()
    first.keep("depth", ("key", 1), ENTRY)
    assert first.flush(WAIT_S)
    found = open_spill().find("depth", ("key", 1))
    assert found is not None and np.array_equal(found.arrays[0], np.arange(5.0)) and found.meta == {"told": "so"}
    assert open_spill().digest_seed == first.digest_seed


def test_another_version_kind_or_key_finds_nothing(open_spill):
    spill = open_spill()
    spill.keep("depth", "key", ENTRY)
    assert spill.flush(WAIT_S)
    assert open_spill("2").find("depth", "key") is None
    assert spill.find("fills", "key") is None
    assert spill.find("depth", "kez") is None


def test_a_full_disk_ends_the_spill_with_one_warning_and_nothing_else(open_spill, caplog):
    """RLIMIT_FSIZE stands for the disk: no file may grow, as in `make chaos`."""
    spill = open_spill()
    kept = FrameCache(100, spill)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        for number in range(3):
            spill.keep("depth", number, ENTRY)
        assert spill.flush(WAIT_S)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    told = [record.message for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(told) == 1 and "cannot write the cache on disk (File too large)" in told[0]
    kept.put_frame((b"s", b"a"), b"pixels")
    assert (kept.get((b"s", b"a")), spill.is_on, spill.find("depth", 0)) == (b"pixels", False, None)


def test_a_disk_that_is_too_slow_is_not_waited_for(open_spill):
    spill = open_spill(max_waiting_bytes=10)
    spill.keep("depth", "key", ENTRY)
    assert spill.find("depth", "key") is None


def test_a_folder_that_vanished_ends_the_spill(open_spill, tmp_path, caplog):
    spill = open_spill()
    for path in (tmp_path / "cache").iterdir():
        path.unlink()
    (tmp_path / "cache").rmdir()
    spill.keep("depth", "key", ENTRY)
    assert spill.flush(WAIT_S)
    assert not spill.is_on


WINDOW = WindowInput(np.zeros((1, 3, 2, 2), np.float32), None, Settings(), 3, (0,), "lite", "", frames_digest=b"digest")
OUTPUT = WindowOutput(
    np.linspace(0, 1, 12, dtype=np.float32).reshape(1, 3, 2, 2), "Draft", {"depth": 0.5}, 1 / 3, 0.1, (-1 / 7, 2.5),
    ("mind the gap",),
)  # fmt: skip


def damaged(path: Path, how: str) -> None:
    data = bytearray(path.read_bytes())
    if how == "bit":
        data[-1] ^= 1
    path.write_bytes(data if how == "bit" else data[: len(data) // 2])


@pytest.mark.parametrize("how", ["whole", "bit", "cut"])
def test_a_result_survives_a_restart_or_is_missing_but_is_never_wrong(open_spill, tmp_path, how):
    spill = open_spill()
    ResultCache(MIB, spill).keep(WINDOW, "cpu", OUTPUT)
    assert spill.flush(WAIT_S)
    if how != "whole":
        (path,) = (tmp_path / "cache").glob("*.entry")
        damaged(path, how)
    again = ResultCache(MIB, open_spill())
    found = again.find(WINDOW, "cpu")
    if how == "whole":
        assert found is not None and np.array_equal(found.images, OUTPUT.images)
        assert replace(found, images=OUTPUT.images) == replace(OUTPUT, stage_times={}), "floats and texts, to the bit"
        assert again.find(WINDOW, "cpu") is not None
        assert (again.disk_hits, again.hits) == (1, 1), "the second time from memory"
    else:
        assert found is None
    assert again.find(WINDOW, "cuda:0") is None


def test_a_cache_without_memory_is_off_on_disk_too(open_spill):
    spill = open_spill()
    cache = ResultCache(0, spill)
    cache.keep(WINDOW, "cpu", OUTPUT)
    assert spill.flush(WAIT_S)
    assert cache.find(WINDOW, "cpu") is None


def test_frames_go_to_disk_when_memory_forgets_them(open_spill):
    spill = open_spill()
    cache = FrameCache(10, spill)
    first, second = (b"s", b"1"), (b"s", b"2")
    cache.put_frame(first, b"6bytes")
    assert spill.flush(WAIT_S)
    assert cache._spill is not None and spill.find("frames", first) is None
    cache.put_frame(second, b"others")
    assert spill.flush(WAIT_S)
    found = cache.get_sized(first, 6)
    assert found is not None and bytes(found) == b"6bytes"
    assert cache.disk_hits == 1
