"""The targets of the coverage fuzzers take their seeds, and a little spoiling of them, in a normal test run."""

from __future__ import annotations

import random

import pytest

from tests.fuzz.seeds import plugin_seeds, service_seeds
from tests.fuzz.service_parsers import TARGETS
from tests.service.fuzz_messages import spoil_bytes

SPOILED = 100


@pytest.mark.parametrize("name", TARGETS)
def test_a_reader_takes_sound_and_spoiled_input(name):
    seeds = service_seeds()[name]
    for number in range(SPOILED):
        chance = random.Random(number)
        seed = seeds[number % len(seeds)]
        TARGETS[name](seed)
        TARGETS[name](spoil_bytes(seed, chance))


def test_each_target_has_seeds_and_no_seed_is_without_a_target():
    assert service_seeds().keys() == TARGETS.keys()
    assert all(seeds and all(seeds) for seeds in plugin_seeds().values())


@pytest.mark.parametrize("address", ["127.0.0.1:²", "[::1%eth0]:1", "]::1[:1", "localhost:"])
def test_odd_addresses_are_refused_or_loopback(address):
    TARGETS["listen"](address.encode())


@pytest.mark.parametrize("value", ["1e999999999", "1/0", "nan", "inf", "9" * 400])
def test_a_frame_rate_that_is_none_is_refused_at_once(value):
    TARGETS["job"](f'[[clip]]\nsource = "a"\nfps = "{value}"\n[clip.outputs]\nright = "r.mov"\n'.encode())


def test_a_number_beyond_all_floats_is_refused():
    job = '[[clip]]\nsource = "a"\nfield_of_view = ' + "9" * 400 + '\n[clip.outputs]\nright = "r.mov"\n'
    TARGETS["job"](job.encode())
