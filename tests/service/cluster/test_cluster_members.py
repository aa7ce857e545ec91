"""Who of a cluster's workers is used, with Ray played by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("ray", reason="the extra [cluster] is not installed")
from ray.exceptions import ObjectLostError, OutOfMemoryError, RayActorError

from service.caches.model_caches import NOTHING_KEPT
from service.cluster import cluster_members
from service.cluster.cluster_members import RESTART_S, SILENCE_S, ClusterMembers
from service.cluster.cluster_model import ClusterModel
from service.errors import ServiceUnreachableError
from service.stereo_model import Inventory


@dataclass
class Answer:
    """What a worker will have said: a value, or an error to raise."""

    value: Any = None
    error: Exception | None = None
    is_there: bool = True


@dataclass
class Worker:
    """An actor that answers as told."""

    version: str = "v1"
    error: Exception | None = None  # of every call
    is_silent: bool = False

    @property
    def ready(self):
        return SimpleNamespace(remote=lambda: self._answer((self.version, Inventory())))

    @property
    def stage(self):
        return SimpleNamespace(remote=lambda ticket: self._answer(("queued", 0.0)))

    def _answer(self, value: Any) -> Answer:
        return Answer(value, self.error, not self.is_silent)


@dataclass
class Cluster:
    """Stands for the module `ray`; each name asked for gets the next of `coming`."""

    places: int = 1
    coming: list[Worker] = field(default_factory=list)
    asked_for: list[str] = field(default_factory=list)
    killed: list[Worker] = field(default_factory=list)
    now_s: float = 0.0

    def remote(self, **options):
        return lambda kind: SimpleNamespace(options=self._options)

    def _options(self, *, name: str, get_if_exists: bool, **more):
        assert get_if_exists
        self.asked_for.append(name)
        return SimpleNamespace(remote=lambda sizes: self.coming.pop(0))

    def cluster_resources(self) -> dict[str, float]:
        return {"GPU": float(self.places)}

    def wait(self, answers, timeout):
        return [answer for answer in answers if answer.is_there], []

    def get(self, answer: Answer):
        if answer.error is not None:
            raise answer.error
        return answer.value

    def kill(self, worker: Worker) -> None:
        self.killed.append(worker)


@pytest.fixture
def cluster(monkeypatch) -> Cluster:
    played = Cluster()
    monkeypatch.setattr(cluster_members, "ray", played)
    monkeypatch.setattr(cluster_members, "time", SimpleNamespace(monotonic=lambda: played.now_s))
    return played


@pytest.fixture
def members(cluster) -> ClusterMembers:
    return ClusterMembers("v1", NOTHING_KEPT)


def test_each_place_has_one_worker_by_the_name_that_all_fronts_of_a_version_ask_for(cluster, members):
    cluster.places, cluster.coming = 2, [Worker(), Worker()]
    assert [member.name for member in members.look()] == ["v1 worker 0", "v1 worker 1"]
    assert members.look() == []
    assert (members.alive, cluster.asked_for) == (2, ["v1 worker 0", "v1 worker 1"])


def test_a_machine_that_joins_adds_its_place(cluster, members):
    cluster.coming = [Worker(), Worker()]
    members.look()
    cluster.places = 2
    assert [member.name for member in members.look()] == ["v1 worker 1"]


@pytest.mark.parametrize("error", [OutOfMemoryError("no memory"), ObjectLostError("ab" * 28, b"", "")])
def test_an_idle_worker_that_is_gone_is_noticed_however_ray_tells_and_its_place_filled(cluster, members, error):
    cluster.coming = [old := Worker(), Worker()]
    members.look()
    old.error = error
    for _ in range(2):  # it is asked, and its answer seen
        members.look()
    assert [member.worker is old for member in members.look()] == [False]
    assert members.alive == 1


def test_a_worker_of_another_version_is_not_used_and_once_it_has_ended_its_place_is(cluster, members, caplog):
    """As when a farm is updated machine by machine."""
    cluster.coming = [old := Worker(version="v0"), Worker()]
    assert members.look() == []
    assert "a worker has model v0 and this front v1" in caplog.text
    for _ in range(3):
        assert members.look() == []
    assert members.alive == 0
    old.error = OutOfMemoryError("ended")
    joined = [member for _ in range(4) for member in members.look()]
    assert [member.worker.version for member in joined] == ["v1"]


def test_a_worker_that_hangs_is_ended(cluster, members, caplog):
    cluster.coming = [old := Worker(), Worker()]
    members.look()
    old.is_silent = True
    members.look()
    cluster.now_s = SILENCE_S + 1.0
    members.look()
    assert (cluster.killed, members.alive) == ([old], 0)
    assert "has answered nothing for 30 s" in caplog.text
    members.look()
    assert members.alive == 1


def test_a_worker_that_cannot_start_is_tried_again_after_a_while_and_told_of_once_each_time(cluster, members, caplog):
    cluster.coming = [Worker(error=RayActorError(error_msg="no weights", actor_init_failed=True)), Worker()]
    for _ in range(5):
        assert members.look() == []
    assert caplog.text.count("could not start") == 1
    cluster.now_s = RESTART_S + 1.0
    joined = [member for _ in range(2) for member in members.look()]
    assert len(joined) == 1


@pytest.mark.parametrize("error", [RayActorError(error_msg="killed"), OutOfMemoryError("no memory")])
def test_a_worker_killed_while_it_loads_is_replaced_at_the_next_look(cluster, members, error):
    """Where workers are killed often, a pause after each would leave the cluster without any."""
    cluster.coming = [Worker(error=error), Worker()]
    joined = [member for _ in range(2) for member in members.look()]
    assert (len(joined), cluster.now_s) == (1, 0.0)


@pytest.mark.parametrize("init_failed", [False, True])
def test_the_name_of_a_dead_worker_is_let_go(cluster, members, init_failed):
    """Else Ray answers for it with the dead one, for ever: seen with 2.60 in each of three runs."""
    cluster.coming = [dead := Worker(error=RayActorError(error_msg="killed", actor_init_failed=init_failed))]
    members.look()
    assert cluster.killed == [dead]


def test_a_place_that_gives_no_worker_is_told_of_once(cluster, members, caplog):
    cluster.coming = [Worker(is_silent=True)]
    members.look()
    cluster.now_s = 100.0
    for _ in range(3):
        members.look()
    assert caplog.text.count("no worker yet for a place of the cluster") == 1


def test_one_death_is_counted_once(cluster, members):
    """A window and the watch may both see it."""
    cluster.places, cluster.coming = 2, [Worker(), Worker()]
    first, _ = members.look()
    members.lose(first)
    members.lose(first)
    assert members.alive == 1
    assert not members.has(first)


@pytest.mark.parametrize("address", ["127.0.0.1:1", "[::1]:1", "127.0.0.1:99999"])
def test_a_cluster_that_is_not_there_is_said_at_once(address):
    """Ray would go on trying: no service, no end, and words of its own."""
    with pytest.raises(ServiceUnreachableError, match=r"nothing answers at .* run there: ray start --head"):
        ClusterModel(address)
