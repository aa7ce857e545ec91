from __future__ import annotations

import sys

import pytest

from model.errors import InvalidInputError
from service.devices import found_devices as devices
from service.devices.found_devices import device_facts, resolve_devices


@pytest.mark.parametrize(("count", "chosen"), [(0, "cpu"), (2, "cuda:0")])
def test_auto_is_the_first_gpu_or_the_processor(monkeypatch, count, chosen):
    monkeypatch.setattr(devices, "torch_version", lambda: "2.13.0")
    monkeypatch.setattr(devices, "cuda_device_count", lambda: count)
    assert resolve_devices(("auto",)) == [chosen]


def test_a_torch_for_processors_has_no_gpu(monkeypatch):
    monkeypatch.setattr(devices, "torch_version", lambda: "2.13.0+cpu")
    assert devices.cuda_device_count() == 0


def test_several_devices_keep_their_order(monkeypatch):
    monkeypatch.setattr(devices, "torch_version", lambda: "2.13.0")
    monkeypatch.setattr(devices, "cuda_device_count", lambda: 2)
    assert resolve_devices(("cuda:1", "cuda", "cpu")) == ["cuda:1", "cuda:0", "cpu"]


@pytest.mark.parametrize("name", ["gpu", "cuda:", "cuda:x", "cpu:0", "", "cuda:0; rm"])
def test_an_unknown_device_is_refused(name):
    with pytest.raises(InvalidInputError, match="use auto, cpu, cuda:0"):
        resolve_devices((name,))


@pytest.mark.parametrize(
    ("name", "torch", "count", "reason"),
    [
        ("cuda:0", "2.13.0+cpu", 0, "torch is built for the processor only"),
        ("cuda:0", "2.13.0+cu130", 0, "the driver offers 0 CUDA devices"),
        ("cuda:2", "2.13.0+cu130", 2, "the driver offers 2 CUDA devices"),
        pytest.param(
            "mps", "2.13.0", 0, "only macOS has it", marks=pytest.mark.skipif(sys.platform == "darwin", reason="")
        ),
    ],
)
def test_a_device_that_is_not_here_is_refused_with_the_reason(monkeypatch, name, torch, count, reason):
    monkeypatch.setattr(devices, "torch_version", lambda: torch)
    monkeypatch.setattr(devices, "cuda_device_count", lambda: count)
    with pytest.raises(InvalidInputError, match=reason):
        resolve_devices((name,))


def test_what_only_torch_can_tell_is_left_to_it(monkeypatch):
    monkeypatch.setattr(devices, "torch_version", lambda: "2.13.0+rocm7.0")
    assert resolve_devices(("cuda:1",)) == ["cuda:1"]


def test_a_device_named_twice_is_refused(monkeypatch):
    monkeypatch.setattr(devices, "_why_not_here", lambda device: None)
    with pytest.raises(InvalidInputError, match="named twice"):
        resolve_devices(("cuda", "cuda:0"))


def test_the_processor_has_a_name_and_memory():
    facts = device_facts("cpu")
    assert facts.description
    assert facts.memory_bytes > 2**28
