"""Many clips by one file, with shots of their own settings, on one or several devices."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from model.settings import Settings
from service.batch.errors import JobError
from service.batch.jobs.job import render_job
from service.batch.jobs.job_file import read_job
from service.batch.outputs.picture_writer import OutputFile
from service.batch.rendering.window_pool import WindowPool
from service.batch.sources.footage import open_footage
from service.stereo_model import WindowInput

JOBS = sorted((Path(__file__).parents[4] / "examples" / "jobs").glob("*.toml"))


@pytest.fixture
def run_job(tmp_path, model):
    """Write a job file beside the clips and render it."""

    def run(text: str) -> int:
        (tmp_path / "job.toml").write_text(text)
        return render_job(read_job(tmp_path / "job.toml"), model)

    return run


def test_a_bad_clip_does_not_stop_the_others_and_the_end_says_so(make_run, run_job, tmp_path, capsys):
    make_run("a", 2)
    make_run("c", 3)
    code = run_job("""
        report = "report"
        [defaults]
        settings = { window = 1 }
        [[clip]]
        source = "a"
        outputs = { right = "out/a_%04d.png", left = "out/a_left_%04d.png" }
        [[clip]]
        source = "b.mov"
        outputs = { right = "out/b.mov" }
        [[clip]]
        source = "c"
        outputs = { right = { path = "out/c_%04d.tif" } }
    """)
    assert code == 6
    printed = capsys.readouterr()
    assert "2 of 3 clips are done" in printed.out
    assert "failed: " in printed.out and "b.mov does not exist" in printed.out
    assert len(list((tmp_path / "out").iterdir())) == 2 * 2 + 3
    results = json.loads((tmp_path / "report" / "report.json").read_text())
    assert [result["exit_code"] for result in results] == [0, 3, 0]
    assert results[2]["figures"]["frames"] == 3
    page = (tmp_path / "report" / "report.html").read_text()
    assert "2 of 3 clips are done" in page and "b.mov does not exist" in page and "clip_003.png" in page


def test_a_driver_that_fails_costs_one_clip(make_run, run_job, model, tmp_path, capsys):
    make_run("a", 2)
    make_run("b", 2)

    def fail_on_the_first_clip(window, device):
        if len(model.windows) == 1:
            raise RuntimeError("CUDA error: an illegal memory access was encountered")

    model.before = fail_on_the_first_clip
    clip = "[[clip]]\nsource = '{0}'\noutputs = {{ right = 'out/{0}_%04d.png' }}\nsettings = {{ window = 1 }}\n"
    assert run_job(clip.format("a") + clip.format("b")) == 6
    assert "illegal memory access" in capsys.readouterr().err
    assert len(list((tmp_path / "out").glob("b_*.png"))) == 2


def test_the_contact_sheet_shows_source_and_outputs_of_parts_spread_over_the_clip(make_run, run_job, tmp_path):
    make_run("a", 120)
    assert run_job("""
        report = "report"
        [[clip]]
        source = "a"
        outputs = { right = "out/a_%04d.png", mask = "out/m_%04d.png" }
        settings = { window = 1 }
    """) == 0  # fmt: skip
    sheet = cv2.imread(str(tmp_path / "report" / "clip_001.png"))
    assert sheet is not None
    # Parts begin at 101, 144 and 192; three pictures of 240 px with gaps of 4 a row.
    assert sheet.shape[:2] == (3 * (135 + 16 + 4), 3 * 244)
    assert sheet[10, 2 * 244 + 10].tolist() == [255, 255, 255], "the third column is the mask, which is white"


def test_shots_have_their_own_settings_and_no_window_crosses_their_ends(make_run, run_job, model, tmp_path):
    make_run("a", 40)
    assert run_job("""
        [[clip]]
        source = "a"
        first = 103
        last = 138
        outputs = { right = "out/a_%04d.png" }
        settings = { disparity = 1, window = 17 }
        [[clip.shot]]
        first = 110
        last = 119
        settings = { disparity = 2 }
        [[clip.shot]]
        first = 120
        last = 130
        settings = { disparity = 3, window = 1 }
    """) == 0  # fmt: skip
    assert len(list((tmp_path / "out").iterdir())) == 36
    source = {frame.time + 101: frame.image for frame in open_footage(tmp_path / "a").frames()}
    reach: dict[float, set[int]] = {}
    for window in model.windows:
        seen = {n for n, image in source.items() for frame in window.frames if same_pixels(frame, image)}
        reach.setdefault(window.settings.disparity, set()).update(seen)
    assert reach[2] == set(range(110, 120))
    assert reach[3] == set(range(120, 131))
    assert reach[1] == set(range(103, 110)) | set(range(131, 139))


def same_pixels(frame: np.ndarray, image: np.ndarray) -> bool:
    return np.array_equal(np.rint(frame.transpose(1, 2, 0) * 65535).astype("u2"), image)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("clip = 3", "there is no [[clip]]"),
        ("[[clip]]\nsource = 'a'", "clip 1 has no outputs"),
        ("[[clip]]\nsource = 'a'\noutputs = {}", "no output is named"),
        ("[[clip]]\nsource = 'a'\noutputs = { wrong = 'b' }", "output 'wrong' is unknown"),
        ("[[clip]]\nsource = 'a'\noutputs = { right = 'b' }\ncolour = 3", "clip 1: unknown colour"),
        ("[[clip]]\nsource = 'a'\noutputs = { right = 'b' }\nsettings = { disparity = 99 }", "disparity must be 0..10"),
        ("[[clip]]\nsource = 'a'\noutputs = { right = 'b' }\nsettings = { output = 'left' }", "unknown output"),
        ("[[clip]]\nsource = 'a'\noutputs = { right = 'b' }\nfirst = 'one'", "first must be a frame number"),
        ("[[clip]]\nsource = 'a'\noutputs = { right = 'b' }\ncodec = 'divx'", "codec 'divx' is unknown"),
        ("[[clip]]\nsource = 'a'\noutputs = { right = { codec = 'ffv1' } }", "outputs.right has no path"),
        ("speed = 2\n[[clip]]\nsource = 'a'\noutputs = { right = 'b' }", "the job: unknown speed"),
        ("[[clip]", "is no TOML"),
    ],
)
def test_a_wrong_job_file_is_refused_with_the_clip_and_the_key(tmp_path, text, message):
    (tmp_path / "job.toml").write_text(text)
    with pytest.raises(JobError) as refused:
        read_job(tmp_path / "job.toml")
    assert message in str(refused.value)
    assert "job.toml" in str(refused.value)


@pytest.mark.parametrize(
    ("shots", "message"),
    [("[[1, 5], [4, 6]]", "the shot from frame 104 overlaps"), ("[[50, 60]]", "lies outside the clip")],
)
def test_shots_that_overlap_or_lie_outside_are_refused(make_run, run_job, capsys, shots, message):
    make_run("a", 3)
    tables = "".join(
        f"\n[[clip.shot]]\nfirst = {100 + first}\nlast = {100 + last}" for first, last in json.loads(shots)
    )
    assert run_job(f"[[clip]]\nsource = 'a'\nlast = 103\noutputs = {{ right = 'o' }}{tables}") == 1
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("path", JOBS, ids=lambda path: path.name)
def test_the_examples_are_valid(path):
    assert read_job(path).clips


def test_there_are_examples():
    assert JOBS


def test_windows_run_on_all_devices_at_once_and_are_written_in_order(make_run, render, model, tmp_path, monkeypatch):
    monkeypatch.setattr("service.batch.jobs.job.resolve_devices", list)
    meeting = threading.Barrier(2, timeout=60)
    used = set()

    def meet(window, device):
        used.add(device)
        meeting.wait()  # passes only when both devices hold a window
        time.sleep(0.001 * (window.first_frame % 3))

    model.before = meet
    source = make_run(count=30)
    assert render(source, OutputFile("right", tmp_path / "o.mkv"), devices=("cpu", "cuda:0")) == 0
    assert used == {"cpu", "cuda:0"}
    assert [frame.time for frame in open_footage(tmp_path / "o.mkv").frames()] == pytest.approx(
        [1000 * n / 24 for n in range(30)], abs=1
    )
    alone = tmp_path / "alone.mkv"
    model.before = lambda window, device: None
    assert render(source, OutputFile("right", alone)) == 0
    pairs = zip(open_footage(alone).frames(), open_footage(tmp_path / "o.mkv").frames(), strict=True)
    assert all(np.array_equal(a.image, b.image) for a, b in pairs)


def test_a_cluster_gets_as_many_windows_at_once_as_it_has_workers(make_run, render, model, tmp_path, capsys):
    meeting = threading.Barrier(3, timeout=60)
    model.lanes = lambda: 3
    model.before = lambda window, device: meeting.wait()  # passes only when three windows run
    assert render(make_run(count=30), OutputFile("right", tmp_path / "o"), cluster="auto") == 0
    assert "frames/s on cluster" in capsys.readouterr().out
    assert sorted(window.first_frame for window in model.windows) == list(range(101, 131))


def test_only_so_many_windows_are_read_ahead(model):
    read = []

    def windows() -> Iterator[tuple[int, WindowInput]]:
        for number in range(100):
            read.append(number)
            frames = np.zeros((1, 3, 2, 2), np.float32)
            yield number, WindowInput(frames, None, Settings(window=1), number, (0,), "", "")

    pool = WindowPool(model, ("cpu", "cuda:0"))
    results = iter(pool.converted(windows(), lambda frames: None))
    assert next(results)[0] == 0
    assert len(read) == 4, "two for each device"
    pool.close()
