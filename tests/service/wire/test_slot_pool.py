"""Slots are lent in turn, come back by name, and nobody waits for one that cannot come back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from stereoconvert.v1 import frame_pb2

from model.errors import InvalidInputError
from service.errors import StalledError
from service.wire.frame_store import StoreSlot
from service.wire.slot_pool import SlotPool

FOREVER_S = 1e6
STORE: Any = SimpleNamespace(store_id=b"s" * 16)
FIRST, SECOND = (StoreSlot(STORE, offset, 64) for offset in (4096, 8192))


def place(slot: StoreSlot) -> frame_pb2.StoreLocation:
    return frame_pb2.StoreLocation(store_id=slot.store.store_id, offset_bytes=slot.offset_bytes, size_bytes=64)


def lend_all(pool: SlotPool, count: int) -> list[StoreSlot]:
    async def lend() -> list[StoreSlot]:
        return [await pool.lend() for _ in range(count)]

    return asyncio.run(lend())


def lend_while(pool: SlotPool, happens: Callable[[], None]) -> StoreSlot:
    """What somebody gets who already waits when something happens."""

    async def both() -> StoreSlot:
        waiting = asyncio.create_task(pool.lend())
        await asyncio.sleep(0)  # until it waits
        assert not waiting.done()
        happens()
        return await waiting

    return asyncio.run(both())


def test_slots_are_lent_in_turn_and_again_in_the_order_in_which_they_came_back():
    pool = SlotPool([FIRST, SECOND], FOREVER_S)
    assert lend_all(pool, 2) == [FIRST, SECOND]
    pool.release(place(SECOND))
    pool.release(place(FIRST))
    assert lend_all(pool, 2) == [SECOND, FIRST]


def test_who_waits_gets_the_slot_that_comes_back():
    pool = SlotPool([FIRST], FOREVER_S)
    lend_all(pool, 1)
    assert lend_while(pool, lambda: pool.release(place(FIRST))) is FIRST


@pytest.mark.parametrize("location", [place(FIRST), place(SECOND), frame_pb2.StoreLocation()])
def test_only_a_slot_that_is_lent_comes_back(location):
    pool = SlotPool([FIRST, SECOND], FOREVER_S)
    lend_all(pool, 1)
    pool.release(place(FIRST))
    with pytest.raises(InvalidInputError, match="names no slot that holds a result"):
        pool.release(location)


def test_nobody_waits_for_a_client_that_has_said_all():
    pool = SlotPool([FIRST], FOREVER_S)
    lend_all(pool, 1)
    with pytest.raises(InvalidInputError, match="the stream ended before all results had a slot"):
        lend_while(pool, pool.end)


def test_what_is_free_is_lent_even_to_a_client_that_has_said_all():
    pool = SlotPool([FIRST], FOREVER_S)
    pool.end()
    assert lend_all(pool, 1) == [FIRST]


def test_who_waits_is_told_what_went_wrong_with_the_client():
    pool = SlotPool([FIRST], FOREVER_S)
    lend_all(pool, 1)
    with pytest.raises(InvalidInputError, match="not a release"):
        lend_while(pool, lambda: pool.fail(InvalidInputError("not a release")))


def test_a_client_that_keeps_all_slots_stalls():
    pool = SlotPool([FIRST], 0.01)
    lend_all(pool, 1)
    with pytest.raises(StalledError, match=r"no output slot came back by release_slot for 0.01 s"):
        lend_all(pool, 1)
