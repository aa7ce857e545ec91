from __future__ import annotations

from service.devices.fair_queue import INTERACTIVE_RUN, FairQueue


def filled(*entries: tuple[str, bool]) -> FairQueue[str]:
    """A queue of jobs whose client is their first letter."""
    queue: FairQueue[str] = FairQueue()
    for job, interactive in entries:
        queue.push(job, job[:1].encode(), interactive)
    return queue


def drained(queue: FairQueue[str], seconds_of=lambda job: 1.0) -> list[str]:
    """All jobs in the order in which they run, each charged as long as it takes."""
    order = []
    while len(queue):
        order.append(queue.pop())
        queue.charge(order[-1][:1].encode(), seconds_of(order[-1]))
    return order


def test_clients_take_turns_however_many_jobs_one_of_them_has():
    queue = filled(("a1", False), ("a2", False), ("a3", False), ("b1", False), ("b2", False))
    assert drained(queue) == ["a1", "b1", "a2", "b2", "a3"]


def test_shares_are_equal_in_seconds_not_in_jobs():
    queue = filled(*((f"a{n}", False) for n in range(3)), *((f"b{n}", False) for n in range(9)))
    order = drained(queue, lambda job: 3.0 if job.startswith("a") else 1.0)
    assert "".join(job[0] for job in order) == "abbbabbbabbb"


def test_interactive_goes_first():
    queue = filled(("a1", False), ("b1", True), ("a2", True))
    assert drained(queue) == ["b1", "a2", "a1"]


def test_endless_interactive_work_does_not_stop_batch_work():
    queue = filled(("b1", False), *((f"a{n}", True) for n in range(20)))
    assert drained(queue).index("b1") == INTERACTIVE_RUN


def test_being_idle_earns_no_credit():
    queue = filled(*((f"a{n}", False) for n in range(4)))
    for _ in range(3):
        queue.charge(queue.pop()[:1].encode(), 10.0)
    for number in range(4):
        queue.push(f"b{number}", b"b", False)
        queue.push(f"a{4 + number}", b"a", False)
    order = drained(queue, lambda job: 10.0)
    assert [job[0] for job in order[:4]].count("b") == 2, order


def test_the_order_foretold_is_the_order_that_comes():
    entries = [(f"{client}{n}", (n + client_number) % 3 == 0) for client_number, client in enumerate("abc") for n in range(5)]  # fmt: skip # noqa: E501
    assert filled(*entries).in_order(1.0) == drained(filled(*entries))


def test_clients_that_left_are_forgotten():
    queue: FairQueue[str] = FairQueue()
    for number in range(100):
        client = number.to_bytes(2, "big")
        queue.push("job", client, False)
        queue.charge(client, 1.0 if queue.pop() else 0.0)
    assert len(queue._served_s) < 5


def test_a_removed_job_never_comes():
    queue = filled(("a1", False), ("b1", False), ("a2", False))
    queue.remove(["b1"])
    assert (queue.count_of(b"a"), queue.count_of(b"b"), drained(queue)) == (2, 0, ["a1", "a2"])
