from __future__ import annotations

import pytest

from service.access.admission import BURST_S, SESSION_S, Admission
from service.config import ServiceLimits
from service.errors import QueueFullError


class Clock:
    """Time that passes when told to."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


def test_a_session_may_begin_a_burst_and_then_its_rate(clock):
    admission = Admission(ServiceLimits(max_windows_per_s=2.0), clock)
    for _ in range(int(2.0 * BURST_S)):
        admission.admit(b"a")
    with pytest.raises(QueueFullError, match="more than 2 windows a second") as refused:
        admission.admit(b"a")
    assert refused.value.retry_after_ms == 500
    admission.admit(b"b")
    clock.now_s = 0.5
    admission.admit(b"a")
    with pytest.raises(QueueFullError):
        admission.admit(b"a")


def test_a_session_cannot_save_up_more_than_a_burst(clock):
    admission = Admission(ServiceLimits(max_windows_per_s=2.0), clock)
    admission.admit(b"a")
    clock.now_s = SESSION_S - 1.0
    for _ in range(int(2.0 * BURST_S)):
        admission.admit(b"a")
    with pytest.raises(QueueFullError):
        admission.admit(b"a")


def test_too_many_sessions_are_refused_until_one_is_silent(clock):
    admission = Admission(ServiceLimits(max_sessions=2), clock)
    admission.admit(b"a")
    clock.now_s = 10.0
    admission.admit(b"b")
    with pytest.raises(QueueFullError, match="2 sessions use this service") as refused:
        admission.admit(b"c")
    assert refused.value.retry_after_ms == 1000 * (SESSION_S - 10)
    clock.now_s = SESSION_S + 1.0
    admission.admit(b"c")
    assert admission.sessions == 2


def test_a_session_that_came_first_and_still_comes_is_not_in_the_way(clock):
    admission = Admission(ServiceLimits(), clock)
    for clock.now_s, session in ((0.0, b"a"), (10.0, b"b"), (50.0, b"a")):
        admission.admit(session)
    clock.now_s = 10.0 + SESSION_S + 1.0
    assert admission.sessions == 1, "b is silent, a is not"


def test_frames_that_are_held_are_bounded_and_given_back():
    admission = Admission(ServiceLimits(max_pending_bytes=100))
    with admission.holding(60):
        with pytest.raises(QueueFullError, match="60 bytes of frames; 41 more"), admission.holding(41):
            pass
        with admission.holding(40):
            assert admission.pending_bytes == 100
    assert admission.pending_bytes == 0


def test_one_window_alone_is_never_too_much():
    with Admission(ServiceLimits(max_pending_bytes=100)).holding(101):
        pass


def test_streams_are_counted_while_they_are_open_and_each_device_adds_its_queue():
    one, eight = (Admission(ServiceLimits(max_stores=3, max_queued_windows=5), devices=count) for count in (1, 8))
    assert eight.max_calls - one.max_calls == 7 * 5
    one.max_calls = 1
    with one.call(), pytest.raises(QueueFullError, match="1 calls are open") as refused, one.call():
        pass
    assert refused.value.retry_after_ms > 0
    with one.call():
        assert one.open_calls == 1
    assert one.open_calls == 0
