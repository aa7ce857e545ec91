"""The model on a Ray cluster: one worker for each GPU, wherever it is, behind the same front.

Windows are pure functions of their content, so a window whose worker died is simply computed by another one. Frames
travel through Ray's object store. Ray decides where workers run; machines join and leave by `ray start` and `ray stop`.
"""

from __future__ import annotations

import logging
import queue
import secrets
import socket
import threading
import time
from collections.abc import Mapping
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError

from service.caches.bounded_cache import BoundedCache
from service.caches.model_caches import NOTHING_KEPT, CacheSizes
from service.cluster.cluster_members import LOOK_S, NOBODY, SILENCE_S, WINDOWS, ClusterMembers, Member
from service.cluster.cluster_worker import QUEUED
from service.devices.window_job import Progress
from service.errors import ServiceUnreachableError, WorkersLostError
from service.models.model_version import model_version
from service.stereo_model import Inventory, WindowInput, WindowOutput

log = logging.getLogger(__name__)

NAMESPACE = "stereo-convert"
POLL_S = 0.05
TICKET_BYTES = 8
JOIN_S = 5.0
CONNECT_S = 10.0
TRIES = 3
"""Workers that may die with one window before its client is told: then the window itself may be what kills them."""


class _HangsError(Exception):
    """A worker answers no question."""


class ClusterModel:
    """A StereoModel whose `convert` may be called from as many threads as there are `lanes`."""

    def __init__(self, address: str, sizes: CacheSizes = NOTHING_KEPT) -> None:
        """Join the cluster at `address` ("auto": the one of this machine); `sizes` are those of each worker's caches.

        Raises ServiceUnreachableError when there is none.
        """
        _check_that_somebody_listens(address)
        try:
            ray.init(address, namespace=NAMESPACE, log_to_driver=False, logging_level=logging.WARNING)
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise ServiceUnreachableError(f"no Ray cluster at {address} ({error}); run: ray start --head") from None
        self._members = ClusterMembers(model_version(), sizes)
        self._idle: queue.SimpleQueue[Member] = queue.SimpleQueue()
        self._left = threading.Event()
        self._watch = threading.Thread(target=self._keep_workers, name="cluster", daemon=True)
        self._watch.start()

    def version(self) -> str:
        """That of this machine; workers of another version are not used."""
        return model_version()

    def inventory(self) -> Inventory:
        """What the worker that joined last has."""
        return self._members.inventory

    def lanes(self) -> int:
        """Workers that are there now."""
        return self._members.alive

    def load(self, device: str) -> None:
        """Workers load when they start."""

    def unload(self, device: str) -> None:
        """Let all workers give their memory back, each after the window it has."""
        for member in self._members.all():
            if member.is_alive:
                member.worker.unload.options(concurrency_group=WINDOWS).remote()

    def caches(self) -> Mapping[str, BoundedCache]:
        """Nothing is remembered on this side."""
        return {}

    def convert(self, window: WindowInput, device: str, progress: Progress) -> WindowOutput:
        """Convert a window on a worker, and on another one if that dies or hangs.

        Raises what the worker's model raises; WorkersLostError after TRIES deaths.
        """
        stored = ray.put(window)
        for _ in range(TRIES):
            member = self._take(progress)
            try:
                output = self._convert_on(member, stored, progress)
            except _HangsError:
                self._members.lose(member, hangs=True)
            except RayError:  # the worker, its machine, or what it left in the object store is gone
                self._members.lose(member)
            except BaseException:
                self._idle.put(member)
                raise
            else:
                self._idle.put(member)
                return output
        raise WorkersLostError(f"{TRIES} workers of the cluster died with this window; see their logs, and retry")

    def close(self) -> None:
        """Leave the cluster; workers that this front started end."""
        self._left.set()
        self._watch.join(JOIN_S)  # a cluster that is gone answers nobody
        ray.shutdown()

    def _take(self, progress: Progress) -> Member:
        """An idle worker that answers; `progress` may stop the wait."""
        while True:
            progress(*QUEUED)
            try:
                member = self._idle.get(timeout=POLL_S)
            except queue.Empty:
                continue
            if not self._members.has(member):
                continue
            try:
                self._follow(member, member.worker.stage.remote(NOBODY), NOBODY, progress)
            except (RayError, _HangsError) as error:
                self._members.lose(member, hangs=isinstance(error, _HangsError))
            except BaseException:
                self._idle.put(member)
                raise
            else:
                return member

    def _convert_on(self, member: Member, stored: Any, progress: Progress) -> WindowOutput:
        ticket = secrets.token_bytes(TICKET_BYTES)
        answer = member.worker.convert.options(concurrency_group=WINDOWS).remote(ticket, stored)
        try:
            return self._follow(member, answer, ticket, progress)
        except RayTaskError as error:
            raise error.cause from None
        except RayError:
            raise
        except BaseException:
            member.worker.cancel.remote(ticket)  # at its next stage boundary; what comes next waits for that there
            raise

    def _follow(self, member: Member, answer: Any, ticket: bytes, progress: Progress) -> Any:
        """The answer, once it is there; until then `progress` hears where the window is.

        Raises what the answer holds, what `progress` raises, or _HangsError when the worker answers no question.
        """
        stage: Any = QUEUED
        asked, since_s = None, 0.0
        while not ray.wait([answer], timeout=POLL_S)[0]:
            progress(*stage)
            if asked is None:
                asked, since_s = member.worker.stage.remote(ticket), time.monotonic()
            elif ray.wait([asked], timeout=0)[0]:
                stage, asked = ray.get(asked), None
            elif time.monotonic() - since_s > SILENCE_S:
                raise _HangsError
        return ray.get(answer)

    def _keep_workers(self) -> None:
        """Those that become ready become idle ones."""
        was_told = False
        while not self._left.wait(LOOK_S):
            try:
                for member in self._members.look():
                    self._idle.put(member)
                was_told = False
            except RayError as error:
                if not was_told:
                    log.error("the cluster does not answer (%s); workers cannot join until it does", error)
                was_told = True


def _check_that_somebody_listens(address: str) -> None:
    """Ray itself would try for ever; "auto" and other words for an address it looks up itself, and fails at once."""
    host, _, port = address.rpartition(":")
    if not (host and port.isascii() and port.isdigit()):
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_S).close()
    except (OSError, OverflowError) as error:
        raise ServiceUnreachableError(
            f"nothing answers at {address} ({error}); run there: ray start --head --port={port}"
        ) from None
