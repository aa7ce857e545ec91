from __future__ import annotations

import threading
import time

import pytest

from model.errors import Cancelled, DeviceMemoryError
from service.devices.gpu_worker import DeviceWorker, WorkerLimits, least_loaded
from service.devices.window_job import WindowJob
from service.errors import DeadlinePassedError, DrainingError, QueueFullError

WAIT_S = 60.0


class Gate:
    """Work that runs until it is let through, reporting progress all the while."""

    job: WindowJob

    def __init__(self) -> None:
        self.started, self.open = threading.Event(), threading.Event()

    def __call__(self, progress):
        self.started.set()
        while not self.open.wait(0.002):
            progress("fill", 0.5)
        return "done"


@pytest.fixture
def worker():
    made = DeviceWorker("cpu", WorkerLimits(capacity=4))
    yield made
    made.close(WAIT_S)


@pytest.fixture
def gate(worker):
    """Work that occupies the worker."""
    busy = Gate()
    busy.job = worker.submit(busy)
    assert busy.started.wait(WAIT_S)
    yield busy
    busy.open.set()


def test_work_returns_its_result(worker):
    assert worker.submit(lambda progress: 7).future.result(WAIT_S) == 7


def test_an_error_reaches_the_caller_and_the_worker_lives_on(worker):
    def fail(progress):
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        worker.submit(fail).future.result(WAIT_S)
    assert worker.submit(lambda progress: 1).future.result(WAIT_S) == 1


def test_interactive_goes_before_batch_and_each_kind_in_order(worker, gate):
    order = []
    jobs = [
        worker.submit(lambda progress, name=name: order.append(name), interactive=name.startswith("i"))
        for name in ("b1", "i1", "i2")
    ]
    gate.open.set()
    for job in jobs:
        job.future.result(WAIT_S)
    assert order == ["i1", "i2", "b1"]


def test_a_waiting_job_knows_its_place(worker, gate):
    first, second = (worker.submit(lambda progress: None) for _ in range(2))
    assert (first.state.queue_position, second.state.queue_position) == (1, 2)
    worker.submit(lambda progress: None, interactive=True)
    assert (first.state.queue_position, second.state.queue_position) == (2, 3)


def test_a_full_queue_refuses_with_a_hint_when_to_come_back(worker, gate):
    for _ in range(3):
        worker.submit(lambda progress: None)
    with pytest.raises(QueueFullError, match="4 windows wait for cpu") as refused:
        worker.submit(lambda progress: None)
    assert refused.value.retry_after_ms > 0


def test_a_cancelled_job_that_waits_frees_its_place_at_once(worker, gate):
    jobs = [worker.submit(lambda progress: None) for _ in range(3)]
    jobs[1].cancel()
    worker.submit(lambda progress: None)
    with pytest.raises(Cancelled):
        jobs[1].future.result(WAIT_S)


def test_cancel_stops_running_work_at_its_next_progress(worker, gate):
    gate.job.cancel()
    with pytest.raises(Cancelled, match="was cancelled"):
        gate.job.future.result(WAIT_S)
    assert not gate.open.is_set()


def test_a_deadline_stops_running_work(gate):
    gate.job.deadline = time.monotonic()  # passes while the work runs, however slow this machine is
    with pytest.raises(DeadlinePassedError, match="deadline"):
        gate.job.future.result(WAIT_S)
    assert not gate.open.is_set()


def test_a_job_whose_deadline_passed_in_the_queue_never_runs(worker, gate):
    ran = []
    job = worker.submit(lambda progress: ran.append(1), deadline=time.monotonic())
    gate.open.set()
    with pytest.raises(DeadlinePassedError):
        job.future.result(WAIT_S)
    assert not ran


def test_the_fraction_never_falls(worker):
    seen = []

    def work(progress):
        for fraction in (0.2, 0.6, 0.1, 7.0):
            progress("fill", fraction)
            seen.append(job.state.fraction)

    gate = Gate()
    worker.submit(gate)
    job = worker.submit(work)
    gate.open.set()
    job.future.result(WAIT_S)
    assert seen == [0.2, 0.6, 0.6, 1.0]


def test_memory_that_ran_out_is_said_in_our_words(worker):
    def fail(progress):
        raise MemoryError

    with pytest.raises(DeviceMemoryError, match="lower max width"):
        worker.submit(fail).future.result(WAIT_S)


def test_one_client_cannot_fill_the_queue():
    worker = DeviceWorker("cpu", WorkerLimits(capacity=9, capacity_per_client=2))
    gate = Gate()
    worker.submit(gate, client=b"greedy")
    assert gate.started.wait(WAIT_S)
    worker.submit(lambda progress: None, client=b"greedy")
    with pytest.raises(QueueFullError, match="2 windows of this client wait"):
        worker.submit(lambda progress: None, client=b"greedy")
    worker.submit(lambda progress: None, client=b"modest")
    gate.open.set()
    assert worker.close(WAIT_S)


def test_a_client_that_had_much_waits_for_one_that_had_little(worker, gate):
    order: list[str] = []

    def work(name: str):
        def run(progress) -> None:
            time.sleep(0.02 if name == "a1" else 0.0)
            order.append(name)

        return worker.submit(run, client=name[:1].encode())

    jobs = [work(name) for name in ("a1", "a2", "b1")]
    gate.open.set()
    for job in jobs:
        job.future.result(WAIT_S)
    assert order == ["a1", "b1", "a2"]


def test_as_many_run_at_once_as_there_are_lanes():
    lanes, gates = [2], [Gate() for _ in range(4)]
    worker = DeviceWorker("cluster", WorkerLimits(capacity=3, capacity_per_client=3), lanes=lambda: lanes[0])
    for gate in gates[:3]:
        worker.submit(gate)
    assert gates[0].started.wait(WAIT_S) and gates[1].started.wait(WAIT_S)
    assert not gates[2].started.wait(0.05)
    lanes[0] = 3
    worker.submit(gates[3])  # places grow with the lanes
    assert gates[2].started.wait(WAIT_S)
    assert not gates[3].started.wait(0.05)
    with pytest.raises(QueueFullError):
        for _ in range(3):
            worker.submit(lambda progress: None)
    for gate in gates:
        gate.open.set()
    assert worker.close(WAIT_S)


def test_fewer_run_when_lanes_have_gone():
    lanes, gates = [2], [Gate() for _ in range(4)]
    worker = DeviceWorker("cluster", lanes=lambda: lanes[0])
    for gate in gates:
        worker.submit(gate)
    assert gates[0].started.wait(WAIT_S) and gates[1].started.wait(WAIT_S)
    lanes[0] = 1
    gates[0].open.set()
    gates[1].open.set()
    assert gates[2].started.wait(WAIT_S)
    assert not gates[3].started.wait(0.05)
    gates[2].open.set()
    assert gates[3].started.wait(WAIT_S)
    gates[3].open.set()
    assert worker.close(WAIT_S)


def test_an_idle_worker_rests_once_and_works_on():
    rests = threading.Semaphore(0)
    worker = DeviceWorker("cpu", WorkerLimits(idle_s=0.02), on_idle=rests.release)
    assert not rests.acquire(timeout=0.1), "nothing has run yet, so there is nothing to unload"
    worker.submit(lambda progress: None)
    assert rests.acquire(timeout=WAIT_S)
    assert not rests.acquire(timeout=0.1)
    assert worker.submit(lambda progress: 7).future.result(WAIT_S) == 7
    assert rests.acquire(timeout=WAIT_S)
    assert worker.close(WAIT_S)


def test_closing_finishes_what_waits_and_takes_no_more():
    worker = DeviceWorker("cpu", WorkerLimits(capacity=4))
    gate = Gate()
    first, second = worker.submit(gate), worker.submit(lambda progress: 2)
    threading.Timer(0.02, gate.open.set).start()
    assert worker.close(WAIT_S)
    assert (first.future.result(0), second.future.result(0)) == ("done", 2)
    with pytest.raises(DrainingError):
        worker.submit(lambda progress: 3)


def test_the_least_loaded_device_is_chosen(worker, gate):
    idle = DeviceWorker("cuda:0")
    assert least_loaded([worker, idle]) is idle
    idle.close(WAIT_S)
