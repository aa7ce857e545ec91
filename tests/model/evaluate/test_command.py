import pytest

from model.evaluate import __main__ as command


def run(monkeypatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["model.evaluate", *map(str, arguments)])
    return command.main()


def test_the_command_prints_the_tables_that_are_asked_for(folder, weights, tmp_path, monkeypatch, capsys):
    sheet = tmp_path / "sheet.jpg"
    options = ("--weights", weights, "--size", 64, 96, "--frames", 2, "--windows", 1, "--pictures", sheet)
    assert run(monkeypatch, folder, *options, "--tables", "holes") == 0
    out = capsys.readouterr().out
    assert out.startswith("Weights tiny")
    assert "## holes" in out
    assert "| far.png |" in out
    assert "## flicker" not in out
    assert sheet.exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--size", 100, 96), "multiples of 16"),
        (("--include", "nothing*"), "found none"),
        (("--weights", "unheard-of"), "no weights"),
        (("--threads", 0), "at least 1"),
        (("--size", 64, 96, "--frames", 1, "--tables", "holes", "--pictures", "sheet.unknown"), ".jpg or .png"),
    ],
)
def test_wrong_input_is_told_and_exits_2(folder, monkeypatch, capsys, options, message):
    assert run(monkeypatch, folder, *options) == 2
    assert message in capsys.readouterr().err
