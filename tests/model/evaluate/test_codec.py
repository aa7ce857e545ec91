from typing import Any

import pytest
import torch

from model.errors import ShapeError
from model.evaluate import __main__ as command
from model.evaluate.codec import codec_fill_table, codec_table
from model.sasi.wan.codec import WanCodec
from model.sasi.wan.inpainter import load_wan_inpainter
from tests.wan_models import make_vae, save_member


@pytest.fixture
def footage():
    return {name: torch.rand(1, 3, 32, 48) for name in ("one", "two")}


@pytest.fixture
def codecs():
    return {"teacher": WanCodec(make_vae(1)), "smaller": WanCodec(make_vae(2, attention=False))}


def rows_of(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()[2:]]


class Perfect:
    """A codec that loses nothing."""

    def __init__(self) -> None:
        self.vae = torch.nn.Linear(100, 10_000, bias=False)

    def encode(self, video):
        return video / 2

    def decode(self, latents):
        return latents * 2


class Brighter(Perfect):
    def decode(self, latents):
        return latents * 2 + 0.2  # of -1..1: 0.1 of 0..1


def test_what_comes_back_is_scored_by_hand():
    grey = {"grey": torch.full((1, 3, 32, 48), 0.5)}
    made_up: Any = {"perfect": Perfect(), "brighter": Brighter()}
    perfect, brighter = rows_of(codec_table(made_up, grey, None))
    assert perfect[:2] == ["perfect", "1.0 M"]
    assert perfect[4:7] == ["1.00", "120.00", "1.0000"]
    assert brighter[5] == "20.00"
    assert brighter[7] == "–"


def test_what_is_brighter_than_white_is_white():
    made_up: Any = {"brighter": Brighter()}
    ((_, *_, psnr, _, _),) = rows_of(codec_table(made_up, {"white": torch.ones(1, 3, 32, 48)}, None))
    assert psnr == "120.00"


def test_times_are_of_each_half_a_piece_and_relative_to_the_first(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("time.process_time", lambda: clock[0])

    class Slow(Perfect):
        def __init__(self, encode_s, decode_s):
            super().__init__()
            self.encode_s, self.decode_s = encode_s, decode_s

        def encode(self, video):
            clock[0] += self.encode_s
            return super().encode(video)

        def decode(self, latents):
            clock[0] += self.decode_s
            return super().decode(latents)

    made_up: Any = {"teacher": Slow(4.0, 8.0), "smaller": Slow(1.0, 2.0)}
    teacher, smaller = rows_of(codec_table(made_up, {name: torch.rand(1, 3, 32, 48) for name in "ab"}, None))
    assert teacher[2:5] == ["4.00", "8.00", "1.00"]
    assert smaller[2:5] == ["1.00", "2.00", "4.00"]


def test_codecs_are_compared_with_the_first(codecs, footage):
    teacher, smaller = rows_of(codec_table(codecs, footage, None))
    assert teacher[0] == "teacher"
    assert teacher[4] == "1.00"
    assert smaller[0] == "smaller"


def test_a_piece_that_is_not_4k_plus_1_frames_is_refused(codecs):
    with pytest.raises(ShapeError, match="4k"):
        codec_table(codecs, {"two": torch.rand(2, 3, 32, 48)}, None)


def test_the_transformer_fills_between_each_codec(codecs, tmp_path, window):
    inpainter = load_wan_inpainter(save_member(tmp_path))
    first, second = rows_of(codec_fill_table(codecs, inpainter, [window], None))
    assert first[0] == "teacher"
    assert first[1] != second[1]
    own = inpainter.between(codecs["smaller"])
    assert own.name == inpainter.name


def test_the_command_compares_folders(folder, tmp_path, monkeypatch, capsys):
    member = save_member(tmp_path / "wan")
    options = ("--tables", "codec", "--size", "32", "48", "--frames", "1", "--codecs", str(member / "vae"))
    monkeypatch.setattr("sys.argv", ["model.evaluate", str(folder), *options])
    assert command.main() == 0
    assert "PSNR of footage" in capsys.readouterr().out


def test_without_a_codec_the_table_says_what_it_needs(folder, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["model.evaluate", str(folder), "--tables", "codec"])
    assert command.main() == 2
    assert "--codecs" in capsys.readouterr().err
