"""The service is made ready while a project opens: without a render, without holding the host up, once."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from tests.ofx_plugin.formula_service import formula
from tests.ofx_plugin.test_binary import run_python

pytestmark = pytest.mark.host

PATIENCE_S = 60.0
NATRON_WITHOUT_USER = {"background": True}


@pytest.fixture(autouse=True)
def no_warm_up(monkeypatch):
    """In place of conftest's: here warm-ups begin."""
    monkeypatch.delenv("STEREO_CONVERT_WARM_UP", raising=False)


@pytest.fixture
def starts(local_service, monkeypatch) -> Path:
    """A file with a line for each time that the local service was started."""
    starts = local_service.with_name("starts")
    local_service.write_text(local_service.read_text().replace("exec", f"echo started >> {starts}\nexec", 1))
    return starts


def logged(runtime_dir: Path, words: str) -> bool:
    log = runtime_dir / "plugin.log"
    return log.exists() and words in log.read_text()


def wait_for(runtime_dir: Path, words: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not logged(runtime_dir, words):
        assert time.monotonic() < deadline, f"plugin.log never said {words!r}"
        time.sleep(0.01)


def open_project(make_effect, personality, **how):
    effect = make_effect(personality, write_log=True, **how)
    assert effect.instance is not None
    return effect


@pytest.mark.parametrize("personality", ["resolve", "natron", "strict"])
def test_an_opening_project_starts_the_service_that_the_first_frame_finds(
    make_effect, runtime_dir, starts, shot, clip, personality
):
    effect = open_project(make_effect, personality)
    wait_for(runtime_dir, "warm-up done: the local service")
    assert starts.read_text().split() == ["started"]
    assert "OfxImageEffectActionRender" not in effect.host.actions
    effect.set_clip("Source", clip)
    np.testing.assert_array_equal(effect.render(3), formula(shot[3], 3))
    assert starts.read_text().split() == ["started"], "the first frame starts nothing"


def test_a_cold_first_frame_starts_the_service_itself(make_effect, starts, clip, monkeypatch):
    monkeypatch.setenv("STEREO_CONVERT_WARM_UP", "0")
    effect = open_project(make_effect, "natron")
    effect.set_clip("Source", clip)
    assert not starts.exists()
    effect.render(3)
    assert starts.read_text().split() == ["started"]


def test_all_effects_of_a_project_warm_one_service_up_once(make_effect, runtime_dir, starts):
    first = open_project(make_effect, "natron")
    for _ in range(3):
        assert first.plugin.create("Filter", write_log=True).instance is not None
    first.open_panel()
    wait_for(runtime_dir, "warm-up done")
    assert (runtime_dir / "plugin.log").read_text().count("warm-up begins") == 1
    assert starts.read_text().split() == ["started"]


def test_in_nuke_nothing_starts_before_a_user_touches_the_effect(make_effect, runtime_dir, starts):
    effect = open_project(make_effect, "nuke")
    assert not logged(runtime_dir, "warm-up")
    effect.open_panel()
    wait_for(runtime_dir, "warm-up done")
    effect.check()


@pytest.mark.parametrize("touch", ["open_panel", "edit"])
def test_a_host_without_a_user_warms_nothing_up(make_effect, runtime_dir, starts, touch):
    effect = open_project(make_effect, "natron", host_changes=NATRON_WITHOUT_USER)
    effect.open_panel() if touch == "open_panel" else effect.set("disparity", 3.0)
    assert not logged(runtime_dir, "warm-up") and not starts.exists()


def test_what_goes_wrong_is_logged_and_left_to_the_render_to_tell(make_effect, runtime_dir):
    effect = open_project(make_effect, "natron", service_program="/absent/program")
    wait_for(runtime_dir, "warm-up failed: the service program /absent/program is no executable file")
    assert effect.host.messages == []
    effect.check()


SILENT_SERVICE = "#!/bin/sh\necho $$ > {pid}.new; mv {pid}.new {pid}\nexec sleep 120\n"


def test_unloading_ends_a_warm_up_that_nobody_answers(make_effect, local_service, runtime_dir):
    pid = runtime_dir / "service.lock"  # which the fixture ends
    local_service.write_text(SILENT_SERVICE.format(pid=pid))
    effect = open_project(make_effect, "natron")
    wait_for(runtime_dir, "warm-up begins")
    while not pid.exists():
        time.sleep(0.01)
    effect.host.close()
    assert logged(runtime_dir, "warm-up failed: the host aborted")
    assert Path(f"/proc/{pid.read_text().strip()}").exists(), "it did not wait for the service to end"


LEAVE = """
import sys, time
from pathlib import Path
from tests.ofx_host import Host
host = Host("natron")
effect = host.load(sys.argv[1]).create("Filter", write_log=True)
assert effect.instance is not None
while not Path(sys.argv[2]).exists():
    time.sleep(0.01)
{end}
"""
ENDS = {
    "exit": "sys.exit(0)",
    "exit of the C library": "import ctypes; ctypes.CDLL(None).exit(0)",
    "unloaded and mapped no more": "host.close(); del effect, host; import gc; gc.collect()",
}


@pytest.mark.parametrize("end", ENDS)
def test_a_process_ends_in_the_middle_of_a_warm_up(plugin_binary, local_service, runtime_dir, end):
    pid = runtime_dir / "service.lock"
    local_service.write_text(SILENT_SERVICE.format(pid=pid))
    run = run_python(LEAVE.format(end=ENDS[end]), plugin_binary, pid)
    assert run.returncode == 0, run.stderr
    assert logged(runtime_dir, "warm-up begins") and not logged(runtime_dir, "warm-up done")
