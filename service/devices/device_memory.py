"""When memory runs out: recognise it, say it in our words, make room and try once more with less."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from model.errors import DeviceMemoryError

Result = TypeVar("Result")

log = logging.getLogger(__name__)


def is_out_of_memory(error: BaseException) -> bool:
    """Torch has a class for it on GPUs and only a text on the processor."""
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or (isinstance(error, RuntimeError) and "can't allocate memory" in str(error))
    )


def in_our_words(error: BaseException) -> BaseException:
    """The same error, or a DeviceMemoryError where memory ran out."""
    if not is_out_of_memory(error) or isinstance(error, DeviceMemoryError):
        return error
    return DeviceMemoryError(
        "the device has not enough memory for this window; lower max width or the window, or close other programs"
    )


def with_second_try(work: Callable[[bool], Result], make_room: Callable[[], None]) -> Result:
    """Do `work(frugal=False)`; if memory runs out, `make_room` and do `work(frugal=True)`, once.

    Frugal work keeps nothing that it can compute again, so it takes longer and its result is the same. It never makes
    less of a window, or a smaller fill: a frame must not depend on how full a device was.
    """
    try:
        return work(False)
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
    # Only here, past the handler, are the first try's tensors free: its traceback held them.
    log.warning("memory ran out; caches and idle models are dropped, and the window is tried once more with less")
    make_room()
    return work(True)
