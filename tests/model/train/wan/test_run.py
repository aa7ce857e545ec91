import shutil
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import model
from model.errors import InvalidInputError, SettingsError, WeightsError
from model.sasi.wan.lora import load_lora
from model.sasi.wan.transformer import Prompt, WanTransformer
from model.sasi.wan.weights import load_transformer
from model.train.__main__ import main
from model.train.checkpoint import write_checkpoint
from model.train.config import read_as
from model.train.wan.adapter import add_lora
from model.train.wan.config import LoraRules, WanTrainConfig
from model.train.wan.run import WanRun, train_wan
from model.train.wan.step import Latents, distillation_loss, draw_sigma, flow_loss
from model.train.wan.windows import Ahead, Windows, draw_windows

SHIPPED = Path(model.__file__).parent / "train" / "configs" / "wan_lora.toml"


def run_of(config_file) -> WanRun:
    return WanRun(read_as(WanTrainConfig, config_file))


def test_the_shipped_configuration_states_the_paper_s_numbers():
    """§4.1: 10k and 2.5k steps, batches of 12 and 2, rate 4e-5, three resolutions, random masks and then PBDP."""
    config = read_as(WanTrainConfig, SHIPPED)
    first, second, _ = config.stages
    assert (first.steps, first.batch, first.rate, first.masks) == (10_000, 12, 4e-5, "random")
    assert (second.steps, second.batch, second.rate, second.masks) == (2_500, 2, 4e-5, "stored")
    assert set(second.sizes) == {(720, 1280), (1280, 720), (768, 768)}


def test_a_run_goes_through_its_stages_and_its_lora_fills(config_file, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["train", str(config_file)])
    assert main() == 0
    output, weights = config_file.parent / "output", config_file.parent / "wan"
    assert load_lora(output / "lora.safetensors").metadata["detail"].startswith("step 4 of 4")
    assert {path.name for path in output.glob("*.safetensors")} == {
        f"{name}.safetensors" for name in ("lora", "stage1", "stage2")
    }
    assert (output / "preview_000002.png").exists()
    shutil.copy(output / "lora.safetensors", weights)
    hole = torch.zeros(1, 1, 32, 48, dtype=torch.bool)
    hole[..., 8:20, 10:30] = True
    view = torch.rand(1, 3, 32, 48)
    assert not torch.equal(model.load_inpainter(weights)(view, hole, torch.zeros(1, 1, 32, 48)), view)


def test_a_stopped_run_ends_with_the_same_bits(config_file):
    whole = run_of(config_file)
    losses = [whole.advance() for _ in range(4)]
    expected = {name: value.detach().clone() for name, value in whole.trained.items()}
    shutil.rmtree(config_file.parent / "output")
    assert [run_of(config_file).advance() for _ in range(4)] == losses  # as if killed after every step
    last = run_of(config_file)
    assert all(torch.equal(value, expected[name]) for name, value in last.trained.items())
    assert all(torch.equal(value, last.mean[name]) for name, value in whole.mean.items())


def test_only_the_lora_and_the_added_input_are_trained(config_file):
    run = run_of(config_file)
    before = {name: value.detach().clone() for name, value in run.network.named_parameters()}
    run.advance()
    run.advance()
    changed = {name for name, value in run.network.named_parameters() if not torch.equal(value, before[name])}
    assert changed == {name for name in before if ".lora_" in name} | {"embed_condition.weight"}


def test_what_is_saved_gives_the_network_that_was_trained(config_file):
    run = run_of(config_file)
    for _ in range(2):
        run.advance()
    run.mean = {name: value.detach() for name, value in run.trained.items()}
    run.save()
    shutil.copy(config_file.parent / "output" / "lora.safetensors", config_file.parent / "wan")
    merged = model.load_inpainter(config_file.parent / "wan")._network
    latents, condition = torch.randn(1, 16, 2, 4, 4), torch.randn(1, 17, 2, 4, 4)
    with torch.no_grad():
        trained = run.network(latents, 0.5, run.prompt, condition)
        base = load_transformer(config_file.parent / "wan")(latents, 0.5, run.prompt, condition)
    torch.testing.assert_close(merged(latents, 0.5, run.prompt, condition), trained, atol=1e-5, rtol=1e-4)
    assert (trained - base).abs().max() > 1e-3


def test_gradients_of_micro_batches_add_up_to_those_of_the_batch(config_file):
    gradients = []
    for micro in ("1", "2"):
        shutil.rmtree(config_file.parent / "output", ignore_errors=True)
        config_file.write_text(config_file.read_text().replace("micro_batch = 1", f"micro_batch = {micro}"))
        run = run_of(config_file)
        run.advance()
        gradients.append(run.trained["embed_condition.weight"].grad)
    torch.testing.assert_close(gradients[0], gradients[1], atol=1e-6, rtol=1e-4)


def test_one_step_learns_what_the_teacher_reaches(config_file):
    """In stage 3 the target is the teacher's result, not the truth."""
    run = run_of(config_file)
    for _ in range(3):
        run.advance()
    run.advance()
    assert run._teacher is not None
    number, teacher = run._teacher
    assert number == 2
    assert not any(value.requires_grad for value in teacher.parameters())
    stored = load_file(config_file.parent / "output" / "stage2.safetensors")
    assert torch.equal(teacher.embed_condition.weight, stored["embed_condition.weight"])


class Constant(WanTransformer):
    """Gives one velocity whatever it is shown, and remembers what that was."""

    def __init__(self, velocity):
        torch.nn.Module.__init__(self)
        self.answer, self.shown = velocity, []

    def forward(self, latents, sigma, context, condition=None, kept=None):
        self.shown.append((latents, sigma))
        return self.answer


NOTHING = Prompt(torch.zeros(1, 1, 20), torch.ones(1))


def random_latents():
    return Latents(torch.randn(1, 16, 2, 4, 4), torch.zeros(1, 17, 2, 4, 4), torch.zeros(1, 1, 2, 4, 4) > 0)


def test_the_loss_is_zero_for_the_true_velocity():
    latents, noise = random_latents(), torch.randn(1, 16, 2, 4, 4)
    network = Constant(noise - latents.clean)
    assert flow_loss(network, NOTHING, latents, noise, 0.25) == 0
    shown, sigma = network.shown[0]
    assert sigma == 0.25
    assert torch.equal(shown, 0.75 * latents.clean + 0.25 * noise)


def test_the_distillation_s_loss_is_zero_for_the_teacher_s_result_in_one_step():
    """A teacher of constant velocity goes straight, so one step of the same velocity reaches what its four reach."""
    noise, velocity = torch.randn(1, 16, 2, 4, 4), torch.randn(1, 16, 2, 4, 4)
    teacher, student = Constant(velocity), Constant(velocity)
    assert distillation_loss(student, teacher, NOTHING, random_latents(), noise, steps=4) < 1e-12
    assert [sigma for _, sigma in teacher.shown] == [1.0, 0.75, 0.5, 0.25]
    (shown, sigma) = student.shown[0]
    assert sigma == 1.0
    assert torch.equal(shown, noise)


def test_noise_levels_are_one_in_their_share_and_else_spread():
    generator = torch.Generator().manual_seed(0)
    levels = [draw_sigma(generator, 0.5) for _ in range(1000)]
    assert 450 < sum(level == 1 for level in levels) < 550
    others = [level for level in levels if level < 1]
    assert min(others) > 0.02
    assert 0.4 < sum(others) / len(others) < 0.6


def test_windows_are_a_function_of_seed_and_number(config_file):
    run = run_of(config_file)
    first, again, other = (draw_windows(run.library, None, run.config.stage1, 1, n, 2) for n in (3, 3, 4))
    assert torch.equal(first.truth, again.truth)
    assert torch.equal(first.hole, again.hole)
    assert first.truth.shape != other.truth.shape or not torch.equal(first.truth, other.truth)
    assert first.truth.shape[:3] == (2, 3, 5)
    hidden = first.hole.transpose(1, 2).expand_as(first.masked)
    assert (first.masked[hidden] == 0).all()
    assert torch.equal(first.masked[~hidden], first.truth[~hidden])


def test_windows_are_drawn_ahead_once_each_and_not_beyond_the_end():
    drawn = []

    def draw(step):
        drawn.append(step)
        return Windows(*(torch.tensor(step) for _ in range(3)))

    ahead = Ahead(draw, steps=5, threads=2)
    assert [ahead.take(step).truth.item() for step in range(5)] == [0, 1, 2, 3, 4]
    assert sorted(drawn) == [0, 1, 2, 3, 4]


def test_what_goes_wrong_while_drawing_is_told_where_it_is_needed():
    def broken(step):
        raise InvalidInputError(f"nothing to draw at {step}")

    with pytest.raises(InvalidInputError, match="at 3"):
        Ahead(broken, steps=5, threads=1).take(3)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("frames = 5", "frames = 6", "4k"),
        ('masks = "random"', 'masks = "holes"', "masks"),
        ('masks = "random"', 'masks = "stored"', "pairs"),
        ('precision = "fp32"', 'precision = "int4"', "precision"),
        ("rank = 2", "ranks = 2", "ranks"),
        ("micro_batch = 1", "micro_batch = 0", "micro_batch"),
        ("save_every = 1", "save_every = 0", "save_every"),
        ("rank = 2", "rank = 0", "rank"),
        ("frames = 5", "frames = -3", "frames"),
        ("one_step_share = 1.0", "one_step_share = 2.0", "one_step_share"),
        ('device = "cpu"', 'device = "cuda"', "GPU"),
    ],
)
def test_wrong_settings_are_told(config_file, old, new, told):
    if torch.cuda.is_available() and told == "GPU":
        pytest.skip("there is one here")
    config_file.write_text(config_file.read_text().replace(old, new))
    with pytest.raises(SettingsError, match=told):
        train_wan(config_file)


def test_a_checkpoint_of_another_lora_is_refused(config_file):
    run_of(config_file).advance()
    config_file.write_text(config_file.read_text().replace("rank = 2", "rank = 3"))
    with pytest.raises(WeightsError, match="another run"):
        run_of(config_file)


def test_a_checkpoint_of_another_kind_of_run_is_refused(config_file):
    run_of(config_file)
    write_checkpoint(config_file.parent / "output", {"network": {}, "step": 1})
    with pytest.raises(WeightsError, match="choose another output"):
        run_of(config_file)


def test_every_matrix_of_the_blocks_has_a_lora(config_file):
    network = load_transformer(config_file.parent / "wan", dtype=torch.bfloat16)
    trained = add_lora(network, LoraRules(rank=2))
    assert len(trained) == 1 + 2 * 2 * 7  # two matrices for each of seven in each of two blocks
    assert {value.dtype for value in trained.values()} == {torch.float32}
