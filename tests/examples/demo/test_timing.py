"""The split of the demo's time: stages add up to the wall time, however they are nested in the trace."""

from __future__ import annotations

import json

import pytest

from examples.demo.timing import Split

COMPUTED = {
    "frame": 0,
    "plugin_s": {"connect": 5.0, "fetch": 0.5, "copy_in": 0.25, "wait": 9.0, "copy_out": 0.25},
    "service_s": {"depth": 4.0, "warp": 1.0, "fill": 3.0, "composite": 0.5, "transport": 0.125},
}
CACHED = {"frame": 1, "plugin_s": {"fetch": 0.5, "copy_out": 0.25}, "service_s": {}}


@pytest.fixture
def split(tmp_path):
    trace = tmp_path / "trace.jsonl"
    trace.write_text("".join(json.dumps(render) + "\n" for render in (COMPUTED, CACHED)))
    split = Split(frames=2, wall_s=17.0)
    split.add_trace(trace)
    return split


def test_transport_is_the_wait_beyond_the_models_stages(split):
    assert split.transport_s == pytest.approx(0.25 + 9.0 + 0.25 + 0.25 - 8.5)


def test_host_is_what_remains_and_everything_adds_up(split):
    assert split.host_s + split.start_s + split.transport_s + sum(split.model_s.values()) == pytest.approx(17.0)
    assert split.host_s == pytest.approx(17.0 - 5.0 - 1.25 - 8.5)


def test_starting_the_service_does_not_slow_the_frames(split):
    assert split.frames_per_second == pytest.approx(2 / 12.0)
