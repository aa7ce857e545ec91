"""The workers of a Ray cluster as one front sees them: found or started, asked every second whether they live, let go.

A place is one GPU. Its worker has a name made of the model's version and a number, so that all fronts of one version
share one worker a GPU, and fronts of two versions never mix: the later one waits for places that the other gives back.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import Any

import ray
from ray.exceptions import RayActorError, RayError

from service.caches.model_caches import CacheSizes
from service.cluster.cluster_worker import ClusterWorker
from service.stereo_model import Inventory

log = logging.getLogger(__name__)

RESOURCE = "stereo_worker"
"""For machines without a GPU: `ray start --resources '{"stereo_worker": 2}'` gives two workers there."""

LOOK_S = 1.0
SILENCE_S = 30.0
"""A worker that answers no question for so long hangs (somebody stopped it, its machine is gone): it is ended."""

RESTART_S = 30.0
"""A worker that could not start is tried again after so long."""

PATIENCE_S = 30.0
"""A place that gives no worker for so long is told of, once."""

WINDOWS = "windows"
"""Ray's concurrency group of work: one thread. Questions are answered beside it."""

NOBODY = b""
"""The ticket of no window: to ask with it only tells that a worker lives."""


@dataclass(eq=False)
class Member:
    """One worker, from the moment it is asked for."""

    name: str
    worker: Any
    since_s: float  # when it was asked for, last asked whether it lives, or failed
    ready: Any = None  # reference to the answer of `ready`, while it starts
    asked: Any = None  # reference to an answer that shows that it lives
    is_alive: bool = False  # and of our version
    has_failed: bool = False
    was_told: bool = False


class ClusterMembers:
    """Keeps one worker for each place of the cluster. `look` belongs to one thread, the rest to any."""

    def __init__(self, version: str, sizes: CacheSizes) -> None:
        """`sizes` are those of the caches of each worker that this front starts."""
        self.inventory = Inventory()
        self._version = version
        self._sizes = sizes
        self._members: dict[str, Member] = {}
        self._lock = threading.Lock()
        make_actor: Any = ray.remote  # its type knows no concurrency groups
        self._actor = make_actor(concurrency_groups={WINDOWS: 1})(ClusterWorker)

    @property
    def alive(self) -> int:
        """Workers that take windows."""
        return sum(member.is_alive for member in self.all())

    def all(self) -> list[Member]:
        """Everybody who is here or starts."""
        with self._lock:
            return list(self._members.values())

    def has(self, member: Member) -> bool:
        """Whether it still belongs to us."""
        return self._members.get(member.name) is member

    def lose(self, member: Member, *, hangs: bool = False) -> None:
        """Let go of a worker that has died, or that hangs; its place is looked after again. Once is enough."""
        with self._lock:
            if self._members.get(member.name) is not member:
                return
            del self._members[member.name]
        if hangs:
            ray.kill(member.worker)
        how = f"has answered nothing for {SILENCE_S:g} s and is ended" if hangs else "died"
        log.warning("a worker of the cluster %s; its windows go to others; there are %d", how, self.alive)

    def look(self) -> list[Member]:
        """See who came and who went; return those who are ready now."""
        resources = ray.cluster_resources()
        kind = RESOURCE if RESOURCE in resources else "GPU"
        for place in range(int(resources.get(kind, 0))):
            name = f"{self._version} worker {place}"
            if name not in self._members:
                self._ask_for(name, kind)
        return [member for member in self.all() if self._has_joined(member)]

    def _ask_for(self, name: str, kind: str) -> None:
        place = {"num_gpus": 1} if kind == "GPU" else {"resources": {kind: 1}}
        options = self._actor.options(name=name, get_if_exists=True, max_concurrency=4, num_cpus=0, **place)
        worker = options.remote(self._sizes)
        with self._lock:
            self._members[name] = Member(name, worker, time.monotonic(), ready=worker.ready.remote())

    def _has_joined(self, member: Member) -> bool:
        if member.ready is None:
            self._see_whether_it_lives(member)
            return False
        if ray.wait([member.ready], timeout=0)[0]:
            answer, member.ready = member.ready, None
            return self._admit(member, answer)
        if not member.was_told and time.monotonic() - member.since_s > PATIENCE_S:
            member.was_told = True
            log.warning(
                "no worker yet for a place of the cluster: it loads its model, or another program holds the place"
            )
        return False

    def _see_whether_it_lives(self, member: Member) -> None:
        now_s = time.monotonic()
        if member.has_failed:
            if now_s - member.since_s > RESTART_S:
                with self._lock:
                    self._members.pop(member.name, None)
        elif member.asked is None:
            member.asked, member.since_s = member.worker.stage.remote(NOBODY), now_s
        elif ray.wait([member.asked], timeout=0)[0]:
            answer, member.asked = member.asked, None
            try:
                ray.get(answer)
            except RayError:
                self.lose(member)
        elif now_s - member.since_s > SILENCE_S:
            self.lose(member, hangs=True)

    def _admit(self, member: Member, answer: Any) -> bool:
        try:
            version, inventory = ray.get(answer)
        except RayActorError as error:
            ray.kill(member.worker)  # dead it is; but Ray's client would go on giving us this one for its name
            if not error.actor_init_failed:  # it was killed while it loaded its model
                self.lose(member)
                return False
            member.has_failed, member.since_s = True, time.monotonic()
            log.error("a worker of the cluster could not start; again in %g s: %s", RESTART_S, error)
            return False
        except RayError:
            self.lose(member)
            return False
        if version != self._version:  # it keeps its place until it ends: its machine has no other
            log.error("a worker has model %s and this front %s; install one version on all", version, self._version)
            return False
        self.inventory = inventory
        member.is_alive = True
        log.info("a worker joined; there are %d", self.alive)
        return True
