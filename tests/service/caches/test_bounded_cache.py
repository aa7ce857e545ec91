from __future__ import annotations

import random
import threading

from service.caches import bounded_cache
from service.caches.bounded_cache import BoundedCache


def test_a_dropped_value_gives_its_bytes_back():
    cache: BoundedCache[str, str] = BoundedCache(10)
    cache.put("a", "x", 6)
    cache.drop("a")
    cache.drop("a")
    assert (cache.get("a"), cache.used_bytes) == (None, 0)


def test_clearing_forgets_all():
    cache: BoundedCache[str, str] = BoundedCache(10)
    cache.put("a", "x", 6)
    cache.clear()
    assert (cache.get("a"), cache.used_bytes) == (None, 0)


def test_tiny_values_are_bounded_by_their_number(monkeypatch):
    monkeypatch.setattr(bounded_cache, "MAX_ENTRIES", 3)
    cache: BoundedCache[int, str] = BoundedCache(1000)
    for key in range(5):
        cache.put(key, "x", 1)
    assert [cache.get(key) for key in range(5)] == [None, None, "x", "x", "x"]
    assert cache.used_bytes == 3


def test_hits_and_misses_are_counted():
    cache: BoundedCache[str, str] = BoundedCache(10)
    cache.get("a")
    cache.put("a", "x", 6)
    cache.get("a")
    assert (cache.hits, cache.misses) == (1, 1)


def test_the_bound_holds_under_many_threads():
    cache: BoundedCache[int, bytes] = BoundedCache(1000)
    passed = []

    def work(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(500):
            key = chance.randrange(50)
            cache.put(key, bytes(key), key)
            if (value := cache.get(key)) is not None:
                assert len(value) == key
            if chance.random() < 0.1:
                cache.drop(key)
        passed.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(passed) == 4
    assert cache.used_bytes == sum(size for _, size in cache._entries.values()) <= 1000
