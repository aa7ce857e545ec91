"""The same command after a night that ended early renders what is missing, and nothing twice."""

from __future__ import annotations

import json
import os

import pytest

from service.batch.errors import EXIT_DONE, EXIT_SOME_CLIPS_FAILED
from service.batch.jobs.job import render_job
from service.batch.jobs.job_file import read_job

JOB = """
    report = "report"
    [defaults]
    settings = { window = 1 }
    [[clip]]
    source = "a"
    outputs = { right = "out/a_%04d.png", left = "out/left_%04d.png" }
    [[clip]]
    source = "b"
    outputs = { right = "out/b_%04d.png" }
"""
JOURNAL = ".job.toml.done"


@pytest.fixture
def run(tmp_path, model):
    """Render the job; returns the exit code and how many windows were computed."""

    def run(text: str = JOB, overwrite: bool = False) -> tuple[int, int]:
        (tmp_path / "job.toml").write_text(text)
        model.windows = []
        return render_job(read_job(tmp_path / "job.toml", overwrite), model), len(model.windows)

    return run


def test_a_job_that_is_run_again_goes_on_with_the_clips_that_failed(make_run, run, tmp_path, capsys):
    make_run("a", 3)
    assert run() == (EXIT_SOME_CLIPS_FAILED, 3)
    make_run("b", 2)
    capsys.readouterr()
    assert run() == (EXIT_DONE, 2)
    assert "1/2 a: done by a run before" in capsys.readouterr().out
    first, second = json.loads((tmp_path / "report" / "report.json").read_text())
    assert (first["figures"]["frames"], second["figures"]["frames"]) == (3, 2)
    assert not (tmp_path / JOURNAL).exists(), "nothing is left to go on with"


def test_a_job_that_was_killed_between_clips_loses_none(make_run, run, model, tmp_path):
    make_run("a", 3)
    make_run("b", 2)

    def interrupt(window, device):
        if len(model.windows) == 4:
            raise KeyboardInterrupt

    model.before = interrupt
    with pytest.raises(KeyboardInterrupt):
        run()
    model.before = lambda window, device: None
    assert run(overwrite=True) == (EXIT_DONE, 2)


@pytest.mark.parametrize("change", ["source", "output", "settings", "{ torn", "5", '[{"facts": {}, "figures": {}}]'])
def test_a_clip_that_changed_since_is_not_taken_for_done(make_run, run, tmp_path, change):
    source = make_run("a", 3)
    assert run() == (EXIT_SOME_CLIPS_FAILED, 3)
    make_run("b", 2)
    if not change.isalpha():
        (tmp_path / JOURNAL).write_text(change)
    elif change != "settings":
        os.utime(source / "s_0102.png" if change == "source" else tmp_path / "out" / "left_0102.png")
    text = JOB.replace("window = 1", "window = 1, disparity = 1") if change == "settings" else JOB
    assert run(text) == (EXIT_SOME_CLIPS_FAILED, 2), "the outputs of before are in the way"
    assert run(text, overwrite=True) == (EXIT_DONE, 3), "and only they are made again"


def test_a_job_that_ended_well_is_refused_the_second_time(make_run, run):
    make_run("a", 3)
    make_run("b", 2)
    assert run() == (EXIT_DONE, 5)
    assert run() == (EXIT_SOME_CLIPS_FAILED, 0)
