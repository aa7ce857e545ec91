"""A render that is killed goes on where it stopped, and ends with the frames of one that was not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from model.errors import InvalidInputError
from model.settings import Settings
from service.batch.errors import BusyError, OutputExistsError, exit_code_of
from service.batch.outputs.picture_writer import OutputFile
from service.batch.rendering.clip_render import work_folder
from service.batch.rendering.journal import Journal
from service.batch.rendering.orders import ClipOrder
from service.batch.sources.footage import open_footage

CHILD = """
    import os, signal, sys
    import numpy as np
    from pathlib import Path
    from model.settings import Settings
    from service.batch.rendering import journal
    from service.batch.jobs.job import render_job
    from service.batch.rendering.orders import ClipOrder, JobOrder
    from service.batch.outputs.picture_writer import OutputFile
    from service.stereo_model import WindowOutput
    from service.torch_model import TorchModel

    class ShiftingModel(TorchModel):
        def convert(self, window, device, progress):
            images = np.roll(window.frames[list(window.wanted)], 1, axis=3)
            return WindowOutput(images, "", {}, 0.0, 0.0, (0.0, 0.0), (), (images,) * len(window.also))

    source, out, parts_to_live, model = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    write, written = journal.Journal._write, 0

    def write_or_die(self, name, values):
        # Half of the deaths come just before a part is noted: all of its pixels lie there, and nobody knows.
        global written
        written += name.startswith("part-")
        if written > parts_to_live:
            os.kill(os.getpid(), signal.SIGKILL)
        write(self, name, values)

    journal.Journal._write = write_or_die
    TorchModel.version = lambda self: "as it is now"  # another checkout of the model is not what is tested
    settings = Settings(engine="stretch", window=17, depth_source="estimate")
    outputs = (OutputFile("right", out / "o.mkv"), OutputFile("mask", out / "m" / "m_%04d.png"))
    order = ClipOrder(source, outputs, settings, depth_estimator="Draft")
    sys.exit(render_job(JobOrder((order,), ("cpu",)), TorchModel() if model == "real" else ShiftingModel()))
"""


def run_child(source: Path, out: Path, parts_to_live: int, model: str) -> int:
    """Render in a process of its own that is killed when so many parts are done."""
    arguments = [sys.executable, "-c", textwrap.dedent(CHILD), str(source), str(out), str(parts_to_live), model]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(arguments, env=environment, capture_output=True, timeout=280).returncode


def same_pictures(first: Path, second: Path) -> bool:
    frames = zip(open_footage(first).frames(), open_footage(second).frames(), strict=True)
    return all(a.time == b.time and np.array_equal(a.image, b.image) for a, b in frames)


@pytest.mark.parametrize(("frames", "model"), [(160, "shift"), pytest.param(500, "real", marks=pytest.mark.slow)])
def test_three_kills_make_no_difference(make_video, tmp_path, frames, model):
    source, killed, whole = make_video("s.mkv", frames=frames, sound=True), tmp_path / "killed", tmp_path / "whole"
    for _ in range(3):
        assert run_child(source, killed, 1, model) == -signal.SIGKILL
        assert not (killed / "o.mkv").exists()
    assert run_child(source, killed, 99, model) == 0
    assert run_child(source, whole, 99, model) == 0
    assert packets_of(killed / "o.mkv") == packets_of(whole / "o.mkv")
    assert same_pictures(killed / "m", whole / "m")
    assert len(os.listdir(killed / "m")) == frames
    assert sorted(os.listdir(killed)) == ["m", "o.mkv"], "nothing of the unfinished render is left"


def packets_of(path: Path) -> list[tuple]:
    """Every byte of picture and sound, and when it is shown; Matroska's random ids are left out."""
    import av

    with av.open(str(path)) as container:
        return [(p.stream.index, p.pts, p.dts, bytes(p)) for p in container.demux() if p.pts is not None]


@pytest.fixture
def stop_after(model):
    """Make the model fail at its n-th window from now."""

    def stop(windows: int) -> None:
        seen = len(model.windows)

        def fail(window, device):
            if len(model.windows) > seen + windows:
                raise InvalidInputError("the cable was pulled")

        model.before = fail

    return stop


def test_what_is_done_is_not_done_again(make_run, render, model, stop_after, tmp_path, capsys):
    source, output = make_run(count=120), OutputFile("right", tmp_path / "o")
    stop_after(60)
    assert render(source, output) == 1
    assert "the same command goes on there" in capsys.readouterr().err
    model.before, model.windows = (lambda window, device: None), []
    assert render(source, output) == 0
    # Parts of single frames begin at multiples of 48: 101..143 are done, the 60th window lies in the next part.
    assert model.windows[0].first_frame == 144
    assert len(model.windows) == 120 - 43
    assert "went on after 43 frames that were done before" in capsys.readouterr().out
    assert same_pictures(source, tmp_path / "o")


def test_ctrl_c_loses_no_part(make_run, render, model, tmp_path):
    source, output = make_run(count=60), OutputFile("right", tmp_path / "o")

    def interrupt(window, device):
        if window.first_frame == 150:
            raise KeyboardInterrupt

    model.before = interrupt
    with pytest.raises(KeyboardInterrupt):
        render(source, output)
    model.before, model.windows = (lambda window, device: None), []
    assert render(source, output) == 0
    assert model.windows[0].first_frame == 144


@pytest.mark.parametrize("change", ["settings", "source"])
def test_another_order_begins_anew(make_run, render, model, stop_after, tmp_path, change, capsys):
    source, output = make_run(count=60), OutputFile("right", tmp_path / "o")
    stop_after(50)
    assert render(source, output) == 1
    model.before, model.windows = (lambda window, device: None), []
    settings = Settings(window=1)
    if change == "settings":
        settings = Settings(window=1, disparity=1)
    else:
        os.utime(source / "s_0101.png")
    assert render(source, output, settings=settings, overwrite=True) == 0
    assert len(model.windows) == 60
    assert "unfinished render with other settings lay here" in capsys.readouterr().err


def test_an_output_that_lost_a_frame_is_made_again_from_there(make_run, render, model, stop_after, tmp_path):
    source, output = make_run(count=120), OutputFile("right", tmp_path / "o")
    stop_after(100)
    assert render(source, output) == 1
    (tmp_path / "o" / "frame_00150.png").unlink()
    model.before, model.windows = (lambda window, device: None), []
    assert render(source, output) == 0
    assert model.windows[0].first_frame == 144
    assert same_pictures(source, tmp_path / "o")


def test_a_part_that_was_cut_short_is_made_again(make_video, render, model, stop_after, tmp_path):
    source, output = make_video("s.mkv", frames=100), OutputFile("right", tmp_path / "o.mkv")
    stop_after(98)
    assert render(source, output) == 1
    work = work_folder(ClipOrder(source, (output,)))
    part = work / "0" / "000000048.packets"
    part.write_bytes(part.read_bytes()[:-10])
    model.before, model.windows = (lambda window, device: None), []
    assert render(source, output) == 0
    assert model.windows[0].first_frame == 48
    assert same_pictures(source, tmp_path / "o.mkv")


def test_windows_on_both_sides_of_the_stop_are_those_of_one_run(make_run, render, model, stop_after, tmp_path):
    source, output, settings = make_run(count=120), OutputFile("right", tmp_path / "o"), Settings(window=17)
    render(source, OutputFile("right", tmp_path / "whole"), settings=settings)
    whole = {window.first_frame: window.frames.tobytes() for window in model.windows}
    model.windows = []
    stop_after(6)
    assert render(source, output, settings=settings) == 1
    stopped = len(model.windows) - 1
    model.before = lambda window, device: None
    assert render(source, output, settings=settings) == 0
    seen = model.windows[:stopped] + model.windows[stopped + 1 :]
    assert {window.first_frame: window.frames.tobytes() for window in seen} == whole


def test_outputs_that_have_their_names_already_do_not_stop_the_others(make_video, render, model, tmp_path, capsys):
    source, left, right = make_video("s.mkv", frames=60), tmp_path / "l.mkv", tmp_path / "sub" / "r.mkv"
    outputs = OutputFile("left", left), OutputFile("right", right)
    right.parent.write_text("a file where the folder should be")
    assert render(source, *outputs) == 5
    assert left.exists() and "the same command goes on there" in capsys.readouterr().err
    right.parent.unlink()
    model.windows = []
    assert render(source, *outputs) == 0
    assert model.windows == [] and same_pictures(left, right)
    assert render(source, *outputs) == 4, "now they are in the way"


def test_a_stranger_at_an_output_that_never_got_its_name_stays(make_video, render, tmp_path):
    source, left, right = make_video("s.mkv", frames=60), tmp_path / "l.mkv", tmp_path / "sub" / "r.mkv"
    outputs = OutputFile("left", left), OutputFile("right", right)
    right.parent.write_text("a file where the folder should be")
    assert render(source, *outputs) == 5
    right.parent.unlink()
    right.parent.mkdir()
    right.write_text("somebody's")
    assert render(source, *outputs) == 4
    assert right.read_text() == "somebody's"


def test_two_renders_do_not_work_on_one_output(tmp_path):
    journal = Journal(tmp_path / "work", {})
    with pytest.raises(BusyError, match="another render is at work"):
        Journal(tmp_path / "work", {})
    journal.close(done=True)
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize("name", ["o.png", "o_%04d.png", "o"])
def test_an_output_that_exists_stays_unless_told(make_run, render, tmp_path, capsys, name):
    source = make_run(count=1)
    assert render(source, OutputFile("right", tmp_path / name)) == 0
    assert render(source, OutputFile("right", tmp_path / name)) == exit_code_of(OutputExistsError()) == 4
    assert "exists already; name another output, or allow it with --overwrite" in capsys.readouterr().err
    assert render(source, OutputFile("right", tmp_path / name), overwrite=True) == 0


def test_ranges_of_one_clip_go_into_one_run_of_images(make_run, render, tmp_path):
    source, output = make_run(count=6), OutputFile("right", tmp_path / "o_%04d.png")
    (tmp_path / "o_mask_0101.png").write_bytes(b"of another output")
    assert render(source, output, first=104) == 0
    assert render(source, output, first=101, last=103) == 0
    assert len(list(tmp_path.glob("o_0*.png"))) == 6
    assert render(source, output, first=103, last=104) == 4, "these two exist"
