"""Traces of windows, seen through OpenTelemetry's exporter in memory."""

from __future__ import annotations

import logging

import grpc
import pytest

pytest.importorskip("opentelemetry.sdk")

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from model.errors import WeightsError
from model.settings import Settings
from service.client import ServiceClient
from service.server import StereoConvertServicer
from service.watching.telemetry import Telemetry, telemetry_of

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}


@pytest.fixture
def exporter():
    return InMemorySpanExporter()


@pytest.fixture
def traced(service, exporter):
    """A service whose traces are kept in memory."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    service.shop.telemetry = Telemetry(provider)
    return service


def convert(service, frames, frame_format, **header):
    with ServiceClient(service.target) as client:
        asked = client.header(frames, frame_format, **header)
        return asked, client.convert(asked, frames)


def test_a_window_is_one_trace_with_its_stages_in_order(traced, exporter, small, make_frames, eventually):
    frames = make_frames(small, 5)
    header, _ = convert(traced, frames, small)
    eventually(lambda: any(span.name == "ConvertWindow" for span in exporter.get_finished_spans()))
    *stages, whole = exporter.get_finished_spans()
    assert whole.name == "ConvertWindow"
    assert [(span.name, span.attributes["place"]) for span in stages] == [
        ("receive", "④"), ("queue", "⑤"), ("decode", "⑤"), ("depth", "⑥"), ("deliver", "⑨"),
    ]  # fmt: skip
    assert {span.parent.span_id for span in stages} == {whole.context.span_id}
    assert all(span.end_time >= span.start_time >= whole.start_time for span in stages)
    depth = next(span for span in stages if span.name == "depth")
    assert depth.end_time - depth.start_time == 250_000_000, "0.25 s, as the model said"
    label = header.request_id.hex()[:8]
    assert {span.attributes["request"] for span in (*stages, whole)} == {label}, "that of the log's lines"


def test_a_trace_says_sizes_and_choices_and_nothing_of_the_content(traced, exporter, small, make_frames, eventually):
    frames = make_frames(small, 1)
    header, _ = convert(traced, frames, small, wanted=[0])
    eventually(lambda: exporter.get_finished_spans()[-1:] and exporter.get_finished_spans()[-1].name == "ConvertWindow")
    whole = exporter.get_finished_spans()[-1]
    assert dict(whole.attributes) == {
        "request": header.request_id.hex()[:8], "frames": 1, "wanted": 1, "width": 4, "height": 3, "output": "right",
        "engine": "sasi", "interactive": False, "device": "cpu", "retention": 0.5, "remembered": False,
        "rpc.grpc.status": "OK",
    }  # fmt: skip
    secrets = (header.session_id.hex(), header.frames[0].content_key.hex(), str(traced.config.runtime_dir))
    told = exporter.get_finished_spans()[-1].to_json()
    assert not [secret for secret in secrets if secret in told]


def test_a_window_that_fails_says_its_code_and_no_message(traced, exporter, small, make_frames, eventually):
    traced.model.error = WeightsError("no weights in /home/artist/secret")
    with pytest.raises(grpc.RpcError):
        convert(traced, make_frames(small, 1), small)
    eventually(lambda: any(span.name == "ConvertWindow" for span in exporter.get_finished_spans()))
    whole = exporter.get_finished_spans()[-1]
    assert (whole.attributes["rpc.grpc.status"], whole.status.status_code) == ("FAILED_PRECONDITION", StatusCode.ERROR)
    assert "secret" not in whole.to_json()


def test_a_window_that_is_remembered_has_no_stages_of_the_model(traced, exporter, small, make_frames, eventually):
    frames = make_frames(small, 1)
    convert(traced, frames, small)
    eventually(lambda: any(span.name == "ConvertWindow" for span in exporter.get_finished_spans()))
    exporter.clear()
    convert(traced, frames, small)
    eventually(lambda: any(span.name == "ConvertWindow" for span in exporter.get_finished_spans()))
    names = [span.name for span in exporter.get_finished_spans()]
    assert "depth" not in names
    assert exporter.get_finished_spans()[-1].attributes["remembered"] is True


def test_it_is_off_unless_the_environment_says_where_traces_go(exporter):
    off, on = telemetry_of({}, lambda: exporter), telemetry_of(ENDPOINT, lambda: exporter)
    for telemetry in (off, on):
        with telemetry.window() as trace, trace.stage("queue"):
            pass
        telemetry.close()
    assert [span.name for span in exporter.get_finished_spans()] == ["queue", "ConvertWindow"]


def test_without_the_extra_it_says_how_to_get_it(monkeypatch, caplog):
    monkeypatch.setattr("service.watching.telemetry.find_spec", lambda name: None)
    with caplog.at_level(logging.WARNING):
        telemetry_of(ENDPOINT).close()
    assert "pip install 'stereo-convert[telemetry]'" in caplog.text


def test_the_servicer_traces_with_what_it_is_given(exporter, service):
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    telemetry = Telemetry(provider)
    servicer = StereoConvertServicer(service.config, service.model, telemetry=telemetry)
    assert servicer.shop.telemetry is telemetry
    assert servicer.close(60.0)
    assert Settings().output == "right"
