from __future__ import annotations

import fcntl
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.errors import InvalidInputError
from service.errors import StoreNotFoundError, StoresFullError
from service.wire.frame_store import FrameStores
from service.wire.shared_region import SharedRegion
from tests.service.footprint import open_regions

SIZE = 3 * 4096


@pytest.fixture(params=[True, False], ids=["file", "name"])
def region(request):
    shared = SharedRegion(SIZE, is_file=request.param)
    yield shared
    shared.unlink()


@pytest.fixture
def stores():
    return FrameStores(max_stores=2, max_store_bytes=1 << 20)


def is_mapped(region: SharedRegion) -> int:
    """How often this process maps the region."""
    return Path("/proc/self/maps").read_text().count(region.name.removeprefix("/"))


def test_both_ends_see_the_same_memory(region, stores):
    store = stores.open(region.request())
    region.memory[5000] = 42
    view = store.view(4096, 4096)
    view[1] = 43
    assert (view[904], region.memory[4097]) == (42, 43)
    view.release()
    stores.close(store)


def test_the_handshake_reads_the_clients_nonce_and_writes_another(region, stores):
    region.memory[:16] = bytes(range(16))
    store = stores.open(region.request())
    theirs, ours = store.exchange_nonces()
    assert theirs == bytes(range(16))
    assert ours == region.memory[16:32] != bytes(16)
    stores.close(store)


@pytest.mark.parametrize("size", [0, 8191, (1 << 20) + 1, 2**63])
def test_a_size_out_of_range_is_refused(region, stores, size):
    with pytest.raises(InvalidInputError, match="size_bytes is"):
        stores.open(region.request(size))


def test_a_size_above_the_real_one_is_refused_and_leaks_nothing(region, stores):
    before = open_regions()
    with pytest.raises(InvalidInputError, match=f"the object has only {SIZE}"):
        stores.open(region.request(SIZE + 1))
    assert open_regions() == before
    assert len(stores) == 0


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_an_object_open_to_others_is_refused(region, stores, mode):
    os.fchmod(region.fileno(), mode)
    with pytest.raises(InvalidInputError, match="mode 0600"):
        stores.open(region.request())


def test_an_object_that_may_not_be_written_to_is_refused(stores):
    region = SharedRegion(SIZE)
    sealed = os.memfd_create(region.name[1:], os.MFD_ALLOW_SEALING)
    os.ftruncate(sealed, SIZE)
    os.fchmod(sealed, 0o600)
    every = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
    fcntl.fcntl(sealed, fcntl.F_ADD_SEALS, every)
    request = region.request()
    request.open_file.descriptor = sealed
    before = open_regions()
    with pytest.raises(InvalidInputError, match=r"cannot be mapped.*use chunks"):
        stores.open(request)
    assert open_regions() == before
    os.close(sealed)
    region.unlink()


@pytest.mark.parametrize("region", [False], indirect=True, ids=["name"])
def test_an_object_that_shrank_is_refused_instead_of_killing_the_service(region, stores):
    store = stores.open(region.request())
    os.ftruncate(region.fileno(), 4096)
    with pytest.raises(InvalidInputError, match="smaller while it was in use"):
        store.view(8192, 16)
    stores.close(store)


def test_no_more_stores_than_the_limit(region, stores):
    opened = [stores.open(region.request()) for _ in range(2)]
    with pytest.raises(StoresFullError, match="2 frame stores"):
        stores.open(region.request())
    stores.close(opened[0])
    stores.open(region.request())


def test_the_mapping_ends_with_the_stream(region, stores):
    before = is_mapped(region)
    store = stores.open(region.request())
    assert is_mapped(region) == before + 1
    stores.close(store)
    assert is_mapped(region) == before


def test_the_mapping_outlives_the_stream_while_a_window_uses_it(region, stores):
    before = is_mapped(region)
    store = stores.open(region.request())
    store.acquire()
    stores.close(store)
    region.memory[4096] = 9
    view = store.view(4096, 1)
    assert view[0] == 9
    view.release()
    store.release()
    assert is_mapped(region) == before


def test_a_view_that_outlives_the_store_stays_readable(region, stores):
    store = stores.open(region.request())
    pixels = np.frombuffer(store.view(4096, 16), np.uint8)
    stores.close(store)
    region.memory[4096] = 5
    assert pixels[0] == 5


def test_an_unknown_store_is_not_found(stores):
    with pytest.raises(StoreNotFoundError, match="share the store again"):
        stores.slot("header.frames[0].location", bytes(16), 4096, 64, 64)


@pytest.mark.parametrize(
    ("offset", "size", "text"),
    [
        (0, 64, "offset_bytes is 0"),
        (4095, 64, "offset_bytes is 4095"),
        (4097, 64, "a multiple of 64"),
        (SIZE, 64, "offset_bytes is"),
        (2**64 - 64, 64, "offset_bytes is"),
        (4096, 63, r"size_bytes is 63; it must be 64 \(one frame\)"),
        (4096, SIZE, r"the end of the store"),
        (4096, 2**64 - 1, "size_bytes is"),
        (SIZE - 64, 128, "size_bytes is 128"),
    ],
)
def test_a_slot_outside_its_store_is_refused(region, stores, offset, size, text):
    store = stores.open(region.request())
    with pytest.raises(InvalidInputError, match=text):
        stores.slot("location", store.store_id, offset, size, 64)


@given(offset=st.integers(0, 2**64 - 1), size=st.integers(0, 2**64 - 1), least=st.integers(1, 2**20))
def test_any_slot_that_is_accepted_lies_inside(offset, size, least):
    shared = SharedRegion(SIZE)
    stores = FrameStores(1, SIZE)
    store = stores.open(shared.request())
    shared.unlink()
    try:
        slot = stores.slot("location", store.store_id, offset % (2 * SIZE) // 64 * 64, size % (2 * SIZE), least % SIZE)
    except InvalidInputError:
        return
    finally:
        stores.close(store)
    assert slot.offset_bytes >= 4096
    assert least % SIZE <= slot.size_bytes
    assert slot.offset_bytes + slot.size_bytes <= SIZE
