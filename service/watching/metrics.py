"""What Prometheus may read: windows, stages, errors as they happen; queues, caches and memory as they are when asked.

Off unless `--metrics-port` names a port; then on loopback only, and nothing but numbers is told there.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, make_wsgi_app
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from service.caches.spilled_cache import SpilledCache
from service.errors import CannotListenError
from service.watching.local_http import LOOPBACK, SILENCE_S, BoundedThreads, Listening

if TYPE_CHECKING:
    from service.caches.bounded_cache import BoundedCache
    from service.workshop import Workshop

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0)
SHARES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0)


class Metrics:
    """The counters of one service. Safe from any thread."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._windows = Counter("stereo_windows", "Windows sent back whole", registry=self.registry)
        self._frames = Counter("stereo_frames", "Frames sent back", registry=self.registry)
        self._errors = Counter("stereo_errors", "Calls that ended with a gRPC code", ["code"], registry=self.registry)
        self._stages = Histogram("stereo_stage_seconds", "Wall time of a window by stage of its route", ["stage"],
                                 buckets=SECONDS, registry=self.registry)  # fmt: skip
        self._retention = Histogram("stereo_retention_ratio", "Share of tokens that the fill computed",
                                    buckets=SHARES, registry=self.registry)  # fmt: skip
        ProcessCollector(registry=self.registry)

    def count_window(self, frames: int, stage_seconds: Mapping[str, float]) -> None:
        """Note a window that went back whole, and its seconds by stage."""
        self._windows.inc()
        self._frames.inc(frames)
        for stage, seconds in stage_seconds.items():
            self._stages.labels(stage).observe(seconds)

    def note_retention(self, retention: float) -> None:
        """Note what share of its tokens a window computed, 0..1."""
        self._retention.observe(retention)

    def count_error(self, code: str) -> None:
        """Note a call that ended with the gRPC code of this name."""
        self._errors.labels(code).inc()

    def watch(self, shop: Workshop) -> None:
        """Show the queues, caches and memory of a service from now on."""
        self.registry.register(_WorkshopCollector(shop))

    def listen(self, port: int) -> Listening:
        """Answer at http://127.0.0.1:PORT/metrics; 0 takes any free port. Raises CannotListenError."""
        try:
            server = make_server(LOOPBACK, port, make_wsgi_app(self.registry), _Server, _Handler)
        except OSError as error:
            raise CannotListenError(
                f"cannot listen on {LOOPBACK}:{port} for metrics ({error.strerror}); choose another --metrics-port"
            ) from None
        return Listening(server, "metrics")


class _Server(BoundedThreads, WSGIServer):
    """What Prometheus asks."""


class _Handler(WSGIRequestHandler):
    timeout = SILENCE_S

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing: every scrape would be a line."""


class _WorkshopCollector(Collector):
    """Looks at a workshop whenever Prometheus asks."""

    def __init__(self, shop: Workshop) -> None:
        self._shop = shop

    def describe(self) -> Iterable[Metric]:
        """Nothing in advance: what there is depends on the devices."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Queues by device, sessions, bytes held, caches, GPU memory."""
        queue = GaugeMetricFamily("stereo_queued_windows", "Windows waiting or running", labels=["device"])
        for worker in self._shop.workers:
            queue.add_metric([worker.device], worker.load)
        yield queue
        yield GaugeMetricFamily("stereo_sessions", "Sessions of the last minute", self._shop.admission.sessions)
        yield GaugeMetricFamily("stereo_frame_stores", "Shared memory regions", len(self._shop.stores))
        yield GaugeMetricFamily("stereo_pending_bytes", "Chunks held", self._shop.admission.pending_bytes)
        yield from _caches(self._shop.caches)
        if (spill := self._shop.spill) is not None:
            yield GaugeMetricFamily("stereo_disk_cache_on", "0 once the disk has failed, else 1", spill.is_on)
        yield from _gpu_memory([worker.device for worker in self._shop.workers])


def _caches(caches: Mapping[str, BoundedCache]) -> Iterable[Metric]:
    used = GaugeMetricFamily("stereo_cache_bytes", "Held by a cache", labels=["cache"])
    asked = CounterMetricFamily("stereo_cache_lookups", "Asked of a cache", labels=["cache", "result"])
    for name, cache in caches.items():
        used.add_metric([name], cache.used_bytes)
        asked.add_metric([name, "hit"], cache.hits)
        asked.add_metric([name, "miss"], cache.misses)
        if isinstance(cache, SpilledCache):
            asked.add_metric([name, "disk"], cache.disk_hits)
    return used, asked


def _gpu_memory(devices: Iterable[str]) -> Iterable[Metric]:
    """Empty until torch has been loaded; to load it for a number would cost seconds and a gigabyte."""
    torch = sys.modules.get("torch")
    used = GaugeMetricFamily("stereo_gpu_memory_bytes", "Held by torch on a GPU", labels=["device"])
    for device in devices:
        if torch is not None and device.startswith("cuda") and torch.cuda.is_available():
            used.add_metric([device], torch.cuda.memory_reserved(device))
    return (used,)
