from __future__ import annotations

import gc
import weakref

import pytest

from model.errors import DeviceMemoryError
from service.devices.device_memory import in_our_words, is_out_of_memory, with_second_try

OUT_OF_MEMORY = [
    MemoryError(),
    DeviceMemoryError("too large"),
    type("OutOfMemoryError", (RuntimeError,), {})("CUDA"),
    RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 7 bytes"),
]


class Scarce:
    """Work that fails with `errors`, one after the other, and then succeeds."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.rooms_made = 0
        self.frugal: list[bool] = []

    def work(self, frugal: bool) -> str:
        self.frugal.append(frugal)
        if self.errors:
            raise self.errors.pop(0)
        return "done"

    def make_room(self) -> None:
        self.rooms_made += 1

    def run(self) -> str:
        return with_second_try(self.work, self.make_room)


@pytest.mark.parametrize("error", OUT_OF_MEMORY, ids=lambda error: type(error).__name__)
def test_memory_that_ran_out_once_is_tried_again_with_room_and_with_less(error):
    scarce = Scarce(error)
    assert (scarce.run(), scarce.rooms_made, scarce.frugal) == ("done", 1, [False, True])


def test_it_is_tried_again_only_once():
    scarce = Scarce(MemoryError(), DeviceMemoryError("still too large"))
    with pytest.raises(DeviceMemoryError, match="still too large"):
        scarce.run()


def test_other_errors_are_not_tried_again():
    scarce = Scarce(RuntimeError("shape"))
    with pytest.raises(RuntimeError, match="shape"):
        scarce.run()
    assert scarce.rooms_made == 0


def test_what_the_first_try_held_is_free_before_the_second():
    class Tensor:
        pass

    held, found = [], []

    def work(frugal: bool) -> None:
        if held:
            return
        tensor = Tensor()
        held.append(weakref.ref(tensor))
        raise MemoryError

    def make_room() -> None:
        gc.collect()
        found.append(held[0]())

    with_second_try(work, make_room)
    assert found == [None]


def test_an_error_of_memory_is_said_in_our_words_and_others_stay():
    other = ValueError("no")
    assert in_our_words(other) is other
    assert not is_out_of_memory(other)
    assert "lower max width" in str(in_our_words(MemoryError()))
