from __future__ import annotations

import pytest

from service.__main__ import main

JOB = '[[clip]]\nsource = "none.mp4"\noutputs = { right = "o.mp4" }\n'


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["none.mp4", "-o", "o.mp4"], 3, "none.mp4 does not exist"),
        (["x.mp4", "-o", "o.mp4", "--set", "disparity=99"], 2, "disparity must be 0..10"),
        (["x.mp4", "-o", "o.mp4", "--set", "disparity"], 2, "--set takes NAME=VALUE"),
        (["x.mp4", "-o", "o.mp4", "--set", "nonsense=1"], 2, "unknown setting 'nonsense'"),
        (["x.mp4", "-o", "o.mp4", "--set", "depth_source=clip"], 2, "go together"),
        (["x.mp4", "-o", "o.mp4", "--fps", "0"], 2, "--fps must be above 0"),
        (["x.mp4", "-o", "o.mp4", "--frames", "-1"], 2, "--frames must be above 0"),
        (["x.mp4", "-o", "o.mp4", "--also", "left"], 2, "--also takes WHAT=FILE"),
        (["x.mp4", "-o", "o.mp4", "--also", "nonsense=l.mp4"], 2, "output 'nonsense' is unknown"),
        (["x.mp4", "-o", "o.mp4", "--also", "left=o.mp4"], 2, "o.mp4 is named twice"),
        (["x.mp4", "-o", "o.mp4", "--device", "toaster"], 2, "device 'toaster' is unknown"),
        (["x.mp4"], 2, "-o OUT is missing"),
        (["none.toml"], 2, "cannot read none.toml"),
        (["job.toml", "-o", "o.mp4"], 2, "leave out --out\n"),
        (["job.toml", "--set", "disparity=3", "--frames", "5"], 2, "leave out --set, --frames\n"),
        (["job.toml", "--inpainter", "wan", "--estimator", "Draft"], 2, "leave out --inpainter, --estimator\n"),
        (["job.toml", "--field-of-view", "60"], 2, "leave out --field-of-view\n"),
        (["job.toml"], 3, "none.mp4 does not exist"),
    ],
)
def test_a_wrong_order_says_what_to_do_with_its_own_exit_code(tmp_path, monkeypatch, capsys, arguments, code, text):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "job.toml").write_text(JOB)
    try:
        returned = main(["render", *arguments])
    except SystemExit as left:
        returned = left.code
    assert returned == code
    assert text in capsys.readouterr().err
