"""The frame store: frames by name, bounded, never taken from under someone who uses them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = 4096
KEYS = [bytes([number]) * 16 for number in range(8)]


@pytest.fixture
def store(units):
    return units.FrameStore(4 * PAGE)


def fill(store, *keys: bytes) -> None:
    for key in keys:
        store.publish(key, store.allocate(PAGE))


def test_blocks_do_not_overlap_and_lie_behind_the_reserved_page(store):
    blocks = [store.allocate(PAGE - 1) for _ in range(4)]
    assert sorted(store.offset_of(block) for block in blocks) == [PAGE, 2 * PAGE, 3 * PAGE, 4 * PAGE]


def test_room_is_used_again_and_holes_join(store):
    blocks = [store.allocate(PAGE) for _ in range(4)]
    del blocks[1:3]
    assert store.offset_of(store.allocate(2 * PAGE)) == 2 * PAGE
    blocks.clear()
    assert store.offset_of(store.allocate(4 * PAGE)) == PAGE
    assert store.used_bytes == 0


def test_least_recently_used_frame_leaves_first(store):
    fill(store, *KEYS[:4])
    store.find(KEYS[0])
    fill(store, KEYS[4])
    assert store.find(KEYS[1]) is None
    assert all(store.find(key) is not None for key in (KEYS[0], KEYS[2], KEYS[3], KEYS[4]))


def test_frames_in_use_stay_and_the_rest_goes_to_private_memory(store):
    held = [store.allocate(PAGE) for _ in range(4)]
    for key, block in zip(KEYS, held, strict=False):
        store.publish(key, block)
    beyond = store.allocate(PAGE)
    assert store.offset_of(beyond) is None and beyond.size == PAGE
    assert all(store.find(key) is block for key, block in zip(KEYS, held, strict=False))


def test_first_frame_of_a_name_stays(store):
    first = store.allocate(PAGE)
    store.publish(KEYS[0], first)
    store.publish(KEYS[0], store.allocate(PAGE))
    assert store.find(KEYS[0]) is first


def test_a_sketch_is_known_as_long_as_one_of_its_frames(store):
    assert not store.may_hold(7)
    for key in KEYS[:2]:
        store.publish(key, store.allocate(PAGE), 7)
    store.publish(KEYS[0], store.allocate(PAGE), 8)
    assert store.may_hold(7) and not store.may_hold(8), "the first frame of a name stays"
    fill(store, *KEYS[2:5])  # of four pages: the first two leave one after the other
    assert store.find(KEYS[0]) is None and store.may_hold(7)
    fill(store, KEYS[5])
    assert store.find(KEYS[1]) is None and not store.may_hold(7)


def test_a_block_outlives_its_store(units):
    store = units.FrameStore(4 * PAGE)
    block = store.allocate(PAGE)
    del store
    assert block.size == PAGE


def shared_files(name: str) -> list[Path]:
    """Where this process has a shared region open."""
    return [link for link in Path("/proc/self/fd").iterdir() if name in os.path.realpath(link)]


def test_shared_memory_is_open_for_us_alone_has_no_name_and_ends_with_the_store(units):
    store = units.FrameStore(4 * PAGE)
    name = store.shared_name.removeprefix("/")
    (link,) = shared_files(name)
    assert link.stat().st_mode & 0o777 == 0o600
    assert not (Path("/dev/shm") / name).exists()
    del store
    assert not shared_files(name)


SCARCE_MEMORY = """
#include <errno.h>
#include <sys/types.h>
int posix_fallocate(int file, off_t offset, off_t size) { return offset + size > 2560 << 10 ? ENOSPC : 0; }
"""


def test_scarce_shared_memory_gives_private_memory_instead_of_a_crash(units, tmp_path):
    """A write to a page of shared memory that the system cannot provide kills the process."""
    (tmp_path / "scarce.c").write_text(SCARCE_MEMORY)
    library = tmp_path / "scarce.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, tmp_path / "scarce.c"], check=True)
    module = str(Path(units.__file__).parent)
    code = f"""
import sys
sys.path.insert(0, {json.dumps(module)})
import _plugin_units as units
store = units.FrameStore(1 << 23)
first, second, third = (store.allocate(1 << 20) for _ in range(3))
assert store.offset_of(first) is not None and store.offset_of(third) is None, (first, third)
del first
assert store.offset_of(store.allocate(1 << 20)) is not None  # the part that exists is used again
"""
    subprocess.run([sys.executable, "-c", code], env={**os.environ, "LD_PRELOAD": str(library)}, check=True)
