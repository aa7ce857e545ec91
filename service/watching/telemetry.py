"""A trace of each window for OpenTelemetry: what it waited for and what each stage of its route took.

Off unless the environment names where traces go (OTEL_EXPORTER_OTLP_ENDPOINT) and the extra [telemetry] is installed. A
trace says what the log's lines say, under the same request: counts, sizes, settings, times. Never pixels, paths, keys.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING

from service.errors import code_of
from service.models.model_version import DISTRIBUTION, product_version

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter

log = logging.getLogger(__name__)

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
Attribute = str | int | float | bool

PLACES = {
    "receive": "④", "queue": "⑤", "decode": "⑤", "depth": "⑥", "warp": "⑦", "fill": "⑧", "composite": "⑨",
    "deliver": "⑨",
}  # fmt: skip
"""Stages by their number in docs/frame_path.md. ① to ③ and ⑩ are the plugin's; its STEREO_CONVERT_TRACE has them."""


@dataclass
class WindowTrace:
    """What one window did and when. Stages may be noted from any thread; times are ns since the epoch."""

    start_ns: int = field(default_factory=time.time_ns)
    stages: list[tuple[str, int, int]] = field(default_factory=list)
    attributes: dict[str, Attribute] = field(default_factory=dict)
    code: str = "OK"

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Note a stage that lasts as long as the block."""
        start_ns = time.time_ns()
        try:
            yield
        finally:
            self.note(name, start_ns)

    def note(self, name: str, start_ns: int) -> None:
        """Note a stage that ends now."""
        self.stages.append((name, start_ns, time.time_ns()))

    def seconds(self) -> dict[str, float]:
        """What each stage took so far, all its turns together; 0 where the clock was set back meanwhile."""
        total: dict[str, float] = {}
        for name, start_ns, end_ns in self.stages:
            total[name] = total.get(name, 0.0) + max(0, end_ns - start_ns) / 1e9
        return total

    def stages_of_model(self, start_ns: int, seconds: Mapping[str, float]) -> None:
        """Note stages that came one after the other, with their seconds."""
        for name, duration_s in seconds.items():
            end_ns = start_ns + round(1e9 * duration_s)
            self.stages.append((name, start_ns, end_ns))
            start_ns = end_ns


class Telemetry:
    """Sends the traces of windows; without a provider to nobody."""

    def __init__(self, provider: TracerProvider | None = None) -> None:
        self._provider = provider
        self._tracer = None if provider is None else provider.get_tracer(DISTRIBUTION, product_version())

    @contextmanager
    def window(self) -> Iterator[WindowTrace]:
        """Trace one ConvertWindow call; its code is that which the client gets."""
        trace = WindowTrace()
        try:
            yield trace
        except BaseException as error:
            trace.code = code_of(error).name if isinstance(error, Exception) else "CANCELLED"
            raise
        finally:
            self._send(trace)

    def close(self) -> None:
        """Send what waits, and end."""
        if self._provider is not None:
            self._provider.shutdown()

    def _send(self, trace: WindowTrace) -> None:
        if self._tracer is None:
            return
        from opentelemetry.trace import SpanKind, StatusCode, set_span_in_context

        facts = {**trace.attributes, "rpc.grpc.status": trace.code}
        whole = self._tracer.start_span("ConvertWindow", None, SpanKind.SERVER, facts, start_time=trace.start_ns)
        if trace.code != "OK":
            whole.set_status(StatusCode.ERROR)
        inside = set_span_in_context(whole)
        request = {name: trace.attributes[name] for name in ("request",) if name in trace.attributes}
        for name, start_ns, end_ns in trace.stages:
            about = {**request, "place": PLACES.get(name, "")}
            self._tracer.start_span(name, inside, attributes=about, start_time=start_ns).end(end_ns)
        whole.end()


def telemetry_of(environment: Mapping[str, str], exporter: Callable[[], SpanExporter] | None = None) -> Telemetry:
    """What the environment asks for: OTEL_EXPORTER_OTLP_ENDPOINT and OpenTelemetry's other names (headers, timeout)."""
    if not any(environment.get(name) for name in ENDPOINTS):
        return Telemetry()
    if find_spec("opentelemetry.sdk") is None or find_spec("opentelemetry.exporter") is None:
        log.warning(
            "%s is set but OpenTelemetry is missing; run: pip install 'stereo-convert[telemetry]'", ENDPOINTS[1]
        )
        return Telemetry()
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    if exporter is None:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as exporter  # noqa: N813
    resource = Resource.create({"service.name": DISTRIBUTION, "service.version": product_version()})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(exporter()))
    return Telemetry(provider)
