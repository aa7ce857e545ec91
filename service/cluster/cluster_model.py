"""The model on a Ray cluster: one worker for each GPU, wherever it is, behind the same front.

Windows are pure functions of their content, so a window whose worker died is simply computed by another one. Frames
travel through Ray's object store. Ray decides where workers run; machines join and leave by `ray start` and `ray stop`.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Mapping
from typing import Any

import ray
from ray.exceptions import RayActorError, RayTaskError

from service.caches.bounded_cache import BoundedCache
from service.caches.model_caches import NOTHING_KEPT, CacheSizes
from service.cluster.cluster_worker import ClusterWorker
from service.devices.gpu_worker import Progress
from service.errors import ServiceUnreachableError, WorkersLostError
from service.models.model_version import model_version
from service.stereo_model import Inventory, WindowInput, WindowOutput

log = logging.getLogger(__name__)

NAMESPACE = "stereo-convert"
RESOURCE = "stereo_worker"
"""For machines without a GPU: `ray start --resources '{"stereo_worker": 2}'` gives two workers there."""

LOOK_S = 1.0
POLL_S = 0.05
TRIES = 3
"""Workers that may die with one window before its client is told: then the window itself may be what kills them."""


class ClusterModel:
    """A StereoModel whose `convert` may be called from as many threads as there are `lanes`."""

    def __init__(self, address: str, sizes: CacheSizes = NOTHING_KEPT) -> None:
        """Join the cluster at `address` ("auto": the one of this machine); `sizes` are those of each worker's caches.

        Raises ServiceUnreachableError when there is none.
        """
        try:
            ray.init(address, namespace=NAMESPACE, log_to_driver=False, logging_level=logging.WARNING)
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise ServiceUnreachableError(f"no Ray cluster at {address} ({error}); run: ray start --head") from None
        self._sizes = sizes
        self._inventory = Inventory()
        self._starting: dict[Any, Any] = {}  # reference to `ready` -> worker
        self._refused: list[Any] = []  # kept, so that they hold their places
        self._idle: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._alive = 0  # idle or at work
        self._lock = threading.Lock()
        self._left = threading.Event()
        self._watch = threading.Thread(target=self._keep_workers, name="cluster", daemon=True)
        self._watch.start()

    def version(self) -> str:
        """That of this machine; workers of another version are not used."""
        return model_version()

    def inventory(self) -> Inventory:
        """What the first worker that answered has."""
        return self._inventory

    def lanes(self) -> int:
        """Workers that are there now."""
        return self._alive

    def load(self, device: str) -> None:
        """Workers load when they start."""

    def unload(self, device: str) -> None:
        """Let the workers that are idle give their memory back."""
        for _ in range(self._idle.qsize()):
            worker = self._take(lambda stage, fraction: None)
            worker.unload.remote()
            self._idle.put(worker)

    def caches(self) -> Mapping[str, BoundedCache]:
        """Nothing is remembered on this side."""
        return {}

    def convert(self, window: WindowInput, device: str, progress: Progress) -> WindowOutput:
        """Convert a window on a worker, and on another one if that dies.

        Raises what the worker's model raises; WorkersLostError after TRIES deaths.
        """
        stored = ray.put(window)
        for _ in range(TRIES):
            worker = self._take(progress)
            try:
                output = self._convert_on(worker, stored, progress)
            except RayActorError:
                self._lost()
                continue
            except BaseException:
                self._idle.put(worker)
                raise
            self._idle.put(worker)
            return output
        raise WorkersLostError(f"{TRIES} workers of the cluster died with this window; see their logs, and retry")

    def close(self) -> None:
        """Leave the cluster; its workers end."""
        self._left.set()
        self._watch.join()
        ray.shutdown()

    def _take(self, progress: Progress) -> Any:
        """An idle worker that is alive; `progress` may stop the wait."""
        while True:
            try:
                worker = self._idle.get(timeout=POLL_S)
                ray.get(worker.stage.remote())
                return worker
            except queue.Empty:
                progress("queued", 0.0)
            except RayActorError:
                self._lost()

    def _lost(self) -> None:
        with self._lock:
            self._alive -= 1
        log.warning("a worker of the cluster died; its window goes to another one; there are %d", self._alive)

    def _convert_on(self, worker: Any, stored: Any, progress: Progress) -> WindowOutput:
        answer = worker.convert.remote(stored)
        try:
            while not ray.wait([answer], timeout=POLL_S)[0]:
                progress(*ray.get(worker.stage.remote()))
        except BaseException:
            worker.cancel.remote()
            ray.wait([answer])  # at its next stage boundary; then the worker is free
            raise
        try:
            return ray.get(answer)
        except RayTaskError as error:
            raise error.cause from None

    def _keep_workers(self) -> None:
        """As many workers as the cluster has places; those that answer become idle ones."""
        while not self._left.wait(LOOK_S):
            resources = ray.cluster_resources()
            kind = RESOURCE if RESOURCE in resources else "GPU"
            used = self._alive + len(self._starting) + len(self._refused)
            for _ in range(int(resources.get(kind, 0)) - used):
                self._start_worker(kind)
            starting = list(self._starting)
            for answer in ray.wait(starting, num_returns=len(starting), timeout=0)[0] if starting else ():
                self._admit(answer, self._starting.pop(answer))

    def _start_worker(self, kind: str) -> None:
        place = {"num_gpus": 1} if kind == "GPU" else {"resources": {kind: 1}}
        actor: Any = ray.remote(ClusterWorker)
        worker = actor.options(max_concurrency=2, num_cpus=0, **place).remote(self._sizes)
        self._starting[worker.ready.remote()] = worker

    def _admit(self, answer: Any, worker: Any) -> None:
        try:
            version, inventory = ray.get(answer)
        except (RayActorError, RayTaskError) as error:
            log.error("a worker of the cluster could not start: %s", error)
            return
        if version != self.version():
            log.error("a worker has model %s and this front %s; install one version on all", version, self.version())
            self._refused.append(worker)
            return
        self._inventory = inventory
        with self._lock:
            self._alive += 1
        self._idle.put(worker)
        log.info("a worker joined; there are %d", self._alive)
