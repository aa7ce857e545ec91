"""plugin.log says what a report needs to say, only when asked, and never stands in the way of a render."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from tests.ofx_host import RenderFailed

pytestmark = pytest.mark.host

STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \d+ "


def renders_in(log: Path) -> list[str]:
    """The lines about renders, without time and process."""
    lines = log.read_text().splitlines()
    assert all(re.match(STAMP, line) for line in lines)
    return [text for line in lines if (text := re.sub(STAMP, "", line)).startswith("frame ")]


@pytest.fixture
def log(runtime_dir, monkeypatch) -> Path:
    monkeypatch.delenv("STEREO_CONVERT_LOG", raising=False)
    return runtime_dir / "plugin.log"


def test_nothing_is_logged_unless_asked(make_effect, service, clip, log):
    effect = make_effect("natron", service.address)
    effect.set_clip("Source", clip)
    effect.render(4)
    assert not log.exists()


def test_each_render_is_one_line_with_the_times_of_both_sides(make_effect, service, clip, log):
    effect = make_effect("natron", service.address, write_log=True)
    effect.set_clip("Source", clip)
    effect.render(4)
    effect.render(5)
    first, second = renders_in(log)
    figure = r"\d+\.\d"
    assert re.fullmatch(
        rf"frame 4 final, window -2 to 14, 0\.0 MB a frame, {figure} ms; plugin connect {figure} copy_in {figure} "
        rf"copy_out {figure} fetch {figure} hash {figure} wait {figure}; service transport {figure} warp {figure}; "
        r"request [0-9a-f]{8}",
        first,
    )
    assert "service not asked" in second
    assert log.stat().st_mode & 0o077 == 0


def test_the_environment_asks_for_all_effects(make_effect, service, clip, log, monkeypatch):
    monkeypatch.setenv("STEREO_CONVERT_LOG", "1")
    effect = make_effect("resolve", service.address)
    effect.set_clip("Source", clip)
    effect.render(4)
    assert len(renders_in(log)) == 1


def test_a_process_names_its_host_first(make_effect, service, clip, log, run_host):
    run_host("natron", service.address, "effect.render(3)", write_log=True)
    assert re.match(
        STAMP + r"host Natron 2\.5\.0 \(fr\.inria\.Natron\), OpenFX 1\.4, plugin \d+\.\d+\.\d+\n", log.read_text()
    )


def test_a_failure_is_logged_with_its_message_and_no_token(make_effect, runtime_dir, clip, log):
    (runtime_dir / "token").write_text("secret-" + "0" * 57)
    effect = make_effect("natron", "127.0.0.1:9", token_file=str(runtime_dir / "token"), timeout=1.0, write_log=True)
    effect.set_clip("Source", clip)
    with pytest.raises(RenderFailed):
        effect.render(7)
    (line,) = renders_in(log)
    assert line.startswith("frame 7 not rendered: the service at 127.0.0.1:9: nothing answers")
    assert "secret" not in log.read_text()


def test_a_full_log_makes_room_and_three_old_ones_are_kept(make_effect, service, clip, log):
    for name, size in {"": 2**20 + 1, ".1": 1, ".2": 2, ".3": 3}.items():
        log.with_name(log.name + name).write_text("x" * size)
    effect = make_effect("natron", service.address, write_log=True)
    effect.set_clip("Source", clip)
    effect.render(4)
    sizes = [log.with_name(f"{log.name}.{number}").stat().st_size for number in (1, 2, 3)]
    assert sizes == [2**20 + 1, 1, 2]
    assert len(renders_in(log)) == 1


def test_a_log_that_cannot_be_written_fails_no_render(make_effect, service, clip, log):
    log.mkdir()
    effect = make_effect("natron", service.address, write_log=True)
    effect.set_clip("Source", clip)
    effect.render(4)
    effect.check()


def test_a_name_with_a_line_break_stays_in_its_line(make_effect, clip, log):
    effect = make_effect("natron", write_log=True, service_program="x\nframe 9 final")
    effect.set_clip("Source", clip)
    with pytest.raises(RenderFailed, match="no executable file"):
        effect.render(4)
    assert len(renders_in(log)) == 1


@pytest.fixture
def file_manager(runtime_dir, monkeypatch) -> Path:
    """A stand-in for xdg-open; writes what it was asked to show into this file."""
    shown = runtime_dir / "shown"
    opener = runtime_dir / "bin" / "xdg-open"
    opener.parent.mkdir()
    opener.write_text(f'#!/bin/sh\nprintf %s "$1" > "{shown}.new"; mv "{shown}.new" "{shown}"\n')
    opener.chmod(0o700)
    monkeypatch.setenv("PATH", f"{opener.parent}:/usr/bin:/bin")
    return shown


def test_the_button_shows_the_folder_of_the_logs(make_effect, runtime_dir, file_manager):
    effect = make_effect("nuke")
    effect.press("open_log_folder")
    deadline = time.monotonic() + 60
    while not file_manager.exists():
        assert time.monotonic() < deadline, "nothing was shown"
        time.sleep(0.01)
    assert file_manager.read_text() == str(runtime_dir)
    effect.check()


def test_a_desktop_without_file_manager_is_told_the_path(make_effect, runtime_dir, monkeypatch):
    monkeypatch.setenv("PATH", str(runtime_dir))
    effect = make_effect("nuke")
    effect.press("open_log_folder")
    ((kind, _, text, persistent),) = effect.host.messages
    assert kind == "OfxMessageWarning" and not persistent, "Nuke renders nothing while an error stands on the node"
    assert str(runtime_dir) in text and "xdg-open" in text
    assert effect.get("status") == text
