from __future__ import annotations

import pytest
from grpc import StatusCode

from model.errors import StereoError
from service import errors
from service.errors import code_of


def kinds(root: type) -> list[type]:
    return [root, *(kind for child in root.__subclasses__() for kind in kinds(child))]


OURS = [
    kind
    for kind in kinds(StereoError)
    if kind is not StereoError and kind.__module__ in ("model.errors", errors.__name__)
]


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.__name__)
def test_no_error_of_ours_is_unmapped(kind):
    error = kind("full", 10) if kind is errors.QueueFullError else kind("text")
    assert code_of(error) is not StatusCode.INTERNAL


def test_anything_else_is_a_bug():
    assert code_of(KeyError("x")) is StatusCode.INTERNAL


def test_a_passed_deadline_is_not_mistaken_for_a_cancel():
    assert code_of(errors.DeadlinePassedError("late")) is StatusCode.DEADLINE_EXCEEDED


def test_each_error_is_drawn_in_the_tree():
    assert errors.__doc__ is not None
    for kind in OURS:
        if kind.__module__ == errors.__name__:
            assert kind.__name__ in errors.__doc__
