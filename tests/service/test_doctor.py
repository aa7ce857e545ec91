from __future__ import annotations

import pytest

from model.errors import WeightsError
from service import doctor as module
from service.config import ServiceConfig
from service.doctor import doctor


@pytest.fixture
def config(runtime_dir):
    return ServiceConfig(runtime_dir=runtime_dir, devices=("cpu",))


def test_a_complete_machine_passes(config, capsys):
    assert doctor(config) == 0
    printed = capsys.readouterr().out
    assert "everything essential is here" in printed
    for subject in ("python", "packages", "stubs", "device", "fill lite", "depth Draft", "shared memory", "socket"):
        assert subject in printed


def test_missing_weights_fail_with_a_remedy(config, capsys, monkeypatch):
    from model.sasi import inpainter

    def damaged(*_, **__):
        raise WeightsError("lite.safetensors is damaged")

    monkeypatch.setattr(inpainter, "load_inpainter", damaged)
    assert doctor(config) == 1
    printed = capsys.readouterr().out
    assert "MISSING  lite.safetensors is damaged" in printed
    assert "→ restore model/weights" in printed


def test_missing_packages_and_stubs_are_named(config, capsys, monkeypatch):
    monkeypatch.setattr(
        module, "_importable", lambda name: name not in ("xxhash", "stereoconvert.v1.stereo_convert_pb2_grpc")
    )
    assert doctor(config) == 1
    printed = capsys.readouterr().out
    assert "not installed: xxhash" in printed
    assert "proto/ is not compiled" in printed


def test_a_folder_open_to_others_fails(config, capsys):
    config.runtime_dir.chmod(0o755)
    assert doctor(config) == 1
    assert "chmod 700" in capsys.readouterr().out


def test_memory_that_cannot_be_shared_is_a_note_not_a_failure(config, capsys, monkeypatch):
    """As where the service sees no processes but its own."""
    sound = module.SharedRegion.request

    def unseen(region):
        request = sound(region)
        request.open_file.process_id = 2**32 - 1
        return request

    monkeypatch.setattr(module.SharedRegion, "request", unseen)
    assert doctor(config) == 0
    printed = capsys.readouterr().out
    assert "shared memory  note     the process of that number has no such memory open here" in printed
    assert "everything essential is here" in printed
