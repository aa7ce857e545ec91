"""What the artist sees and the host gets when something is wrong: an error with advice, never a wrong picture."""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model.errors import DeviceMemoryError, WeightsError
from tests.ofx_host import RenderAborted, RenderFailed
from tests.ofx_host import ofx_names as ofx
from tests.ofx_plugin.formula_service import FormulaModel, ServiceThread, formula

pytestmark = pytest.mark.host


def pid_of(runtime_dir: Path) -> int:
    """The local service's process."""
    return int((runtime_dir / "service.lock").read_text())


def test_absent_service_fails_the_render_with_advice(make_effect, runtime_dir, clip):
    effect = make_effect("nuke", f"unix:{runtime_dir}/nobody", timeout=1.0)
    effect.set_clip("Source", clip)
    with pytest.raises(RenderFailed, match="start the service or correct Address"):
        effect.render(0)
    assert effect.persistent_message


def test_pass_through_shows_the_source_and_says_so(make_effect, runtime_dir, shot, clip):
    effect = make_effect("nuke", f"unix:{runtime_dir}/nobody", timeout=1.0, on_error="Pass through")
    effect.set_clip("Source", clip)
    np.testing.assert_array_equal(effect.render(3), shot[3])
    assert effect.persistent_message.startswith("Not converted, the source is shown")


def test_error_message_leaves_with_the_next_good_render(make_effect, service, runtime_dir, clip):
    effect = make_effect("nuke", f"unix:{runtime_dir}/nobody", timeout=1.0)
    effect.set_clip("Source", clip)
    with pytest.raises(RenderFailed):
        effect.render(0)
    effect.set("address", service.address)
    effect.render(0)
    assert effect.persistent_message is None


def test_abort_is_noticed_while_the_service_works(make_effect, service, gate, shot, clip):
    effect = make_effect("nuke", service.address)
    effect.set_clip("Source", clip)
    service.model.before_window = replace(gate, when_reached=effect.abort)
    gate.close()
    with pytest.raises(RenderAborted) as aborted:
        effect.render(0)
    assert not gate.was_passed, "the service still works"
    assert aborted.value.messages == []
    gate.open()
    service.model.before_window = gate
    np.testing.assert_array_equal(effect.render(0), formula(shot[0], 0))


def test_late_answer_is_a_timeout(make_effect, service, gate, clip):
    service.model.before_window = gate
    gate.close()
    effect = make_effect("nuke", service.address, timeout=1.0)
    effect.set_clip("Source", clip)
    with pytest.raises(RenderFailed, match="raise Timeout"):
        effect.render(0)
    assert not gate.was_passed, "the service still works"


@pytest.mark.parametrize(
    ("error", "advice", "status"),
    [
        (WeightsError("weights are damaged"), "weights are damaged.*doctor", "Failed"),
        (DeviceMemoryError("no memory for 17 frames"), "no memory for 17 frames.*shorter Window", "ErrMemory"),
        (RuntimeError("a bug"), "report", "Failed"),
    ],
)
def test_errors_of_the_service_reach_the_artist(make_effect, service, clip, error, advice, status):
    def fail(window):
        raise error

    service.model.before_window = fail
    effect = make_effect("nuke", service.address)
    effect.set_clip("Source", clip)
    with pytest.raises(RenderFailed, match=advice) as failure:
        effect.render(0)
    assert ofx.status_name(failure.value.status) == status


LITTLE_MEMORY = """
import resource
effect.render(1)  # all threads are there now
large = np.ones((9, 1024, 1024, 4), np.float32) * np.arange(9, dtype=np.float32)[:, None, None, None]
effect.set_clip("Source", ArrayClip(large))
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (100 << 20), resource.RLIM_INFINITY))
try:
    effect.render(1)
except Exception as failure:
    print(failure.status, failure)
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
effect.render(1)
print("recovered")
"""


def test_a_host_without_memory_left_is_told_and_lives(run_host, service, monkeypatch):
    """No shared memory, and room for six frames of 16 MiB where eleven are needed, two by the host."""
    monkeypatch.setenv("STEREO_CONVERT_CACHE_MB", "0")
    told, recovered = run_host("natron", service.address, LITTLE_MEMORY).splitlines()
    assert told.startswith("8 ") and "choose a shorter Window or a smaller frame" in told
    assert recovered == "recovered"


FULL_DISK = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
from tests.ofx_plugin.formula_service import formula
assert np.array_equal(effect.render(3), formula(frames[3], 3))
host.check()
"""


def test_a_full_disk_costs_the_log_and_shared_memory_but_no_frame(run_host, service, runtime_dir):
    run_host("natron", service.address, FULL_DISK, write_log=True)
    assert service.bytes_by_chunks > 0
    assert not (runtime_dir / "plugin.log").read_text()


@pytest.mark.parametrize(("version", "older"), [(2000, "plugin"), (1002, "plugin"), (999, "service")])
def test_service_of_another_version_is_refused(make_effect, service, clip, monkeypatch, version, older):
    monkeypatch.setattr("service.server.CONTRACT_VERSION", version)
    effect = make_effect("nuke", service.address)
    effect.set_clip("Source", clip)
    with pytest.raises(RenderFailed, match=f"update the {older}"):
        effect.render(0)


def test_service_one_minor_version_newer_works(make_effect, service, clip, monkeypatch):
    monkeypatch.setattr("service.server.CONTRACT_VERSION", 1001)
    monkeypatch.setattr("service.wire.window_plan.CONTRACT_VERSION", 1001)
    effect = make_effect("nuke", service.address)
    effect.set_clip("Source", clip)
    effect.render(0)
    assert len(service.model.windows) == 1


def test_value_out_of_range_is_an_error_not_clamped(make_effect, service, clip):
    effect = make_effect("nuke", service.address, disparity=99.0)
    effect.set_clip("Source", clip)
    with pytest.raises(RenderFailed, match=r"disparity must be 0\.\.10"):
        effect.render(0)


def test_blank_address_starts_a_service(make_effect, local_service, runtime_dir, shot, clip):
    effect = make_effect("resolve")
    assert not (runtime_dir / "service.sock").exists(), "nothing is started before the first render"
    effect.set_clip("Source", clip)
    np.testing.assert_array_equal(effect.render(5), formula(shot[5], 5))
    assert os.getsid(pid_of(runtime_dir)) == pid_of(runtime_dir), "it must outlive the host's session"
    assert (runtime_dir / "service.log").stat().st_mode & 0o077 == 0


def test_killed_service_is_started_again(make_effect, local_service, runtime_dir, shot, clip):
    effect = make_effect("nuke")
    effect.set_clip("Source", clip)
    effect.render(0)
    os.kill(pid_of(runtime_dir), signal.SIGKILL)
    np.testing.assert_array_equal(effect.render(20), formula(shot[20], 20))


def test_service_killed_in_mid_render_is_started_again(
    make_effect, local_service, runtime_dir, gate, shot, clip, monkeypatch
):
    monkeypatch.setenv("FORMULA_GATE", str(gate.folder))
    effect = make_effect("nuke")
    effect.set_clip("Source", clip)
    effect.render(0)
    first = pid_of(runtime_dir)
    gate.close()

    def kill_in_mid_render():
        gate.wait_until_reached()
        os.kill(first, signal.SIGKILL)
        gate.open()

    threading.Thread(target=kill_in_mid_render).start()
    np.testing.assert_array_equal(effect.render(20), formula(shot[20], 20))
    assert pid_of(runtime_dir) != first


def test_a_service_that_was_stopped_is_woken_for_the_render_after_the_one_that_timed_out(
    make_effect, local_service, runtime_dir, shot, clip
):
    effect = make_effect("nuke")
    effect.set_clip("Source", clip)
    effect.render(0)
    service = pid_of(runtime_dir)
    os.kill(service, signal.SIGSTOP)
    effect.set("timeout", 1.0)
    with pytest.raises(RenderFailed, match="raise Timeout"):
        effect.render(20)
    effect.set("timeout", 60.0)
    np.testing.assert_array_equal(effect.render(20), formula(shot[20], 20))
    assert pid_of(runtime_dir) == service


def test_missing_program_is_named(make_effect, runtime_dir, clip, monkeypatch):
    monkeypatch.setenv("STEREO_CONVERT_SERVICE", str(runtime_dir / "absent"))
    effect = make_effect("nuke")
    effect.set_clip("Source", clip)
    with pytest.raises(RenderFailed, match="absent is no executable file"):
        effect.render(0)


def test_program_that_fails_is_reported_with_its_last_words(make_effect, local_service, clip):
    starts = local_service.with_name("starts")
    local_service.write_text(f"#!/bin/sh\necho started >> {starts}; echo no GPU, no fun; exit 3\n")
    effect = make_effect("nuke")
    effect.set_clip("Source", clip)
    with pytest.raises(RenderFailed, match=r"exit code 3 \(no GPU, no fun\)"):
        effect.render(0)
    assert starts.read_text().split() == ["started"], "what fails once is not tried until patience ends"


def test_host_that_reaps_all_children_learns_that_the_service_left(run_host, local_service):
    """Where a host ignores SIGCHLD nobody can be asked how a process ended; one that is gone is not waited for."""
    gone = local_service.with_name("gone")
    local_service.write_text(
        local_service.read_text().replace("exec", f"[ -e {gone} ] || {{ touch {gone}; exit 3; }}\nexec", 1)
    )
    code = "import signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN); print(effect.render(0).shape)"
    assert run_host("strict", "", code).strip() == "(8, 12, 4)"


def test_folder_that_others_may_enter_is_refused(make_effect, local_service, runtime_dir, clip):
    runtime_dir.chmod(0o755)
    effect = make_effect("nuke")
    effect.set_clip("Source", clip)
    with pytest.raises(RenderFailed, match="chmod 700"):
        effect.render(0)


def test_status_shows_the_last_window_and_who_serves(make_effect, service, clip):
    effect = make_effect("nuke", service.address)
    effect.set_clip("Source", clip)
    effect.render(0)
    effect.press("refresh_status")
    assert "formula-1" in effect.get("status") and "Device cpu" in effect.get("status")
    effect.check()


def test_restarted_service_is_given_what_it_has_lost(make_effect, runtime_dir, shot, clip):
    effect = make_effect("nuke", f"unix:{runtime_dir}/service.sock")
    effect.set_clip("Source", clip)
    for model in (FormulaModel(), FormulaModel()):
        service = ServiceThread(runtime_dir, model)
        effect.render(0)  # known to the plugin the second time
        effect.set("disparity", effect.get("disparity") + 1)
        np.testing.assert_array_equal(effect.render(0), formula(shot[0], 0, effect.get("disparity")))
        service.stop()


@pytest.fixture
def tcp_service(runtime_dir):
    service = ServiceThread(runtime_dir, FormulaModel(), listen="127.0.0.1:0")
    yield service
    service.stop()


def test_service_over_tcp_takes_the_token(make_effect, tcp_service, runtime_dir, shot, clip):
    effect = make_effect("nuke", f"127.0.0.1:{tcp_service.port}", token_file=str(runtime_dir / "token"))
    effect.set_clip("Source", clip)
    np.testing.assert_array_equal(effect.render(0), formula(shot[0], 0))


def test_a_token_that_was_mended_is_read_again(make_effect, tcp_service, runtime_dir, shot, clip):
    token = runtime_dir / "mine"
    token.write_text("0" * 64)
    effect = make_effect("nuke", f"127.0.0.1:{tcp_service.port}", token_file=str(token))
    effect.set_clip("Source", clip)
    with pytest.raises(RenderFailed, match="correct Token file"):
        effect.render(0)
    token.write_text((runtime_dir / "token").read_text())
    np.testing.assert_array_equal(effect.render(0), formula(shot[0], 0))


@pytest.mark.parametrize("token", ["", "absent", "wrong"])
def test_wrong_token_is_an_error_with_advice(make_effect, tcp_service, runtime_dir, clip, token):
    (runtime_dir / "wrong").write_text("0" * 64)
    token_file = str(runtime_dir / token) if token else ""
    effect = make_effect("nuke", f"127.0.0.1:{tcp_service.port}", token_file=token_file)
    effect.set_clip("Source", clip)
    with pytest.raises(RenderFailed, match="correct Token file"):
        effect.render(0)
