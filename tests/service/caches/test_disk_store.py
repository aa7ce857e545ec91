"""A cache on disk is bounded, shared, and never gives back what was not put there."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from model.errors import InvalidInputError
from service.caches.disk_store import DiskStore
from service.caches.entry_file import Entry

MIB = 1 << 20


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "cache"


def entry(number: int, count: int = 100) -> Entry:
    """Values that follow from `number`."""
    return Entry((np.arange(count, dtype=np.float32) + number, np.full((2, 3), number, np.uint8)), {"number": number})


def same(found: Entry | None, expected: Entry) -> bool:
    return (
        found is not None
        and found.meta == expected.meta
        and len(found.arrays) == len(expected.arrays)
        and all(a.dtype == b.dtype and np.array_equal(a, b) for a, b in zip(found.arrays, expected.arrays, strict=True))
    )


def test_an_entry_comes_back_in_another_process_as_it_was(folder):
    DiskStore(folder, MIB).write("a", entry(1))
    again = DiskStore(folder, MIB)
    assert same(again.read("a"), entry(1))
    assert (again.read("b"), again.has("a"), again.has("b")) == (None, True, False)


def test_all_stores_of_a_folder_have_one_secret_seed(folder, tmp_path):
    first = DiskStore(folder, MIB)
    assert DiskStore(folder, MIB).seed == first.seed != DiskStore(tmp_path / "other", MIB).seed
    assert len(first.seed) == 32
    assert (folder.stat().st_mode & 0o077) == 0


def test_every_flipped_bit_is_found(folder):
    store = DiskStore(folder, MIB)
    store.write("a", entry(1, count=8))
    path = folder / "a.entry"
    whole = path.read_bytes()
    for bit in range(8 * len(whole)):
        spoiled = bytearray(whole)
        spoiled[bit // 8] ^= 1 << bit % 8
        path.write_bytes(spoiled)
        assert store.read("a") is None
        assert not path.exists(), "what is damaged is removed"


def test_every_truncation_is_found(folder):
    store = DiskStore(folder, MIB)
    store.write("a", entry(1, count=8))
    path = folder / "a.entry"
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert store.read("a") is None


def test_an_entry_under_another_name_is_not_believed(folder):
    store = DiskStore(folder, MIB)
    store.write("a", entry(1))
    (folder / "a.entry").rename(folder / "b.entry")
    assert store.read("b") is None


def test_the_bound_holds_and_what_was_used_last_stays(folder):
    size = 4 * 1000 + 300
    store = DiskStore(folder, 5 * size)
    for number in range(5):
        store.write(f"n{number}", entry(number, 1000))
        os.utime(folder / f"n{number}.entry", (number, number))
    assert store.read("n0") is not None  # used now
    store.write("n5", entry(5, 1000))
    assert sorted(path.stem for path in folder.glob("*.entry")) == ["n0", "n2", "n3", "n4", "n5"]
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 5 * size


def test_an_entry_larger_than_the_bound_is_not_kept(folder):
    store = DiskStore(folder, 1000)
    store.write("small", entry(1, 10))
    store.write("large", entry(2, 1000))
    assert (store.has("small"), store.has("large")) == (True, False)


def test_a_folder_that_others_may_enter_is_refused(folder):
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    with pytest.raises(InvalidInputError, match="others may enter"):
        DiskStore(folder, MIB)


WRITER = """
    import sys
    from pathlib import Path
    sys.path.insert(0, sys.argv[3])
    from tests.service.caches.test_disk_store import DiskStore, entry
    store = DiskStore(Path(sys.argv[1]), 1 << 20)
    print("open", flush=True)
    for number in range(int(sys.argv[2]), 10**9, 7):
        store.write(f"n{number % 50}", entry(number % 50, 20000))
"""


def test_kill_9_of_writers_leaves_whole_entries_within_the_bound(folder):
    chance, writers = random.Random(3), []
    root = str(Path(__file__).parents[3])

    def start() -> subprocess.Popen:
        command = [sys.executable, "-c", textwrap.dedent(WRITER), str(folder), str(chance.randrange(50)), root]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None and process.stdout.readline() == "open\n"
        return process

    store = DiskStore(folder, MIB)
    for _ in range(2):
        writers = [start(), start()]  # two processes in one folder
        for writer in writers:
            store.read(f"n{chance.randrange(50)}")
            writer.send_signal(signal.SIGKILL)
            writer.communicate()
    store.write("last", entry(7))
    assert not list(folder.glob("*.tmp")), "what killed writers left is gone"
    assert sum(path.stat().st_size for path in folder.iterdir()) <= MIB
    found = [path.stem for path in folder.glob("n*.entry")]
    assert found
    assert all(same(store.read(name), entry(int(name[1:]), 20000)) for name in found)
