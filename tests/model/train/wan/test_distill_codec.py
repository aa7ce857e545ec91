import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from diffusers.models.autoencoders.autoencoder_kl_wan import AutoencoderKLWan
from torch.utils.flop_counter import FlopCounterMode

import model
from model.errors import SettingsError, WeightsError
from model.sasi.wan.codec import WanCodec, build_vae, drop_attention, load_codec
from model.train.checkpoint import output_folder, write_checkpoint
from model.train.config import read_as
from model.train.wan.codec_config import CodecLossRules, CodecTrainConfig, StudentRules
from model.train.wan.codec_speed import times
from model.train.wan.distill_codec import (
    CodecRun,
    codec_loss,
    draw_video,
    main,
    new_student,
    random_vae,
    save_student,
)
from tests.wan_models import make_vae

SHIPPED = Path(model.__file__).parent / "train" / "configs" / "wan_codec.toml"
SMALL = """
[student]
base_dim = 3
dim_mult = [1, 1, 2, 2]
num_res_blocks = 1
[run]
steps = 2
batch = 1
frames = 5
height = 16
width = 24
device = "cpu"
precision = "fp32"
warmup = 1
save_every = 1
"""


@pytest.fixture
def codec_config(config_file):
    root = config_file.parent
    names = {"teacher": root / "wan" / "vae", "media": root / "media", "output": root / "codec"}
    path = root / "codec.toml"
    path.write_text("".join(f'{name} = "{folder}"\n' for name, folder in names.items()) + SMALL)
    return path


def parameters(entries):
    vae = build_vae({"_class_name": "AutoencoderKLWan", "z_dim": 16, **entries})
    return sum(value.numel() for value in vae.parameters())


def test_the_student_has_at_least_36_percent_fewer_parameters():
    teacher = parameters({})
    assert teacher == pytest.approx(126.8e6, rel=2e-3)  # the paper's table 7
    student = parameters(StudentRules().entries({}))
    assert student <= 0.64 * teacher
    assert student == pytest.approx(80.2e6, rel=0.03)


def multiplications(entries):
    """Of encoding and decoding one frame, counted without computing anything."""
    vae = build_vae({"_class_name": "AutoencoderKLWan", "z_dim": 16, **entries}).eval()
    if entries:
        drop_attention(vae)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        vae.decode(vae.encode(torch.empty(1, 3, 1, 64, 64, device="meta"), return_dict=False)[0].mode())
    return counter.get_total_flops()


def test_the_student_multiplies_nearly_five_times_less():
    assert multiplications({}) >= 4.8 * multiplications(StudentRules().entries({}))


def test_the_shipped_configuration_is_read():
    assert read_as(CodecTrainConfig, SHIPPED).student == StudentRules()


def test_two_steps_leave_a_vae_that_loads_here_and_in_diffusers(codec_config, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["distill", str(codec_config)])
    assert main() == 0
    folder = codec_config.parent / "codec" / "vae"
    codec, theirs = load_codec(folder), AutoencoderKLWan.from_pretrained(folder)
    assert codec.vae.decoder.mid_block.attentions[0] is None
    video = torch.rand(1, 3, 5, 16, 24)
    with torch.no_grad():
        torch.testing.assert_close(codec.encode(video), WanCodec(theirs).encode(video), atol=1e-5, rtol=1e-5)


def test_a_member_runs_with_the_student(codec_config, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["distill", str(codec_config)])
    main()
    root = codec_config.parent
    shutil.rmtree(root / "wan" / "vae")
    shutil.copytree(root / "codec" / "vae", root / "wan" / "vae")
    hole = torch.zeros(1, 1, 16, 32, dtype=torch.bool)
    hole[..., 4:12, 8:16] = True
    filled = model.load_inpainter(root / "wan")(torch.rand(1, 3, 16, 32), hole, torch.zeros(1, 1, 16, 32))
    assert torch.isfinite(filled).all()


def test_a_stopped_run_ends_with_the_same_bits(codec_config):
    config = read_as(CodecTrainConfig, codec_config)
    whole = CodecRun(config)
    losses = [whole.advance() for _ in range(2)]
    shutil.rmtree(config.output)
    assert [CodecRun(config).advance() for _ in range(2)] == losses
    last = CodecRun(config)
    for ours, theirs in zip(last.mean.parameters(), whole.mean.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_learning_lowers_the_loss(codec_config):
    config = read_as(CodecTrainConfig, codec_config)
    run = CodecRun(replace(config, run=replace(config.run, rate=3e-3, save_every=1000)))
    video = draw_video(run.library, config, 777)
    before = codec_loss(run.student, run.teacher, video, config.loss).item()
    for _ in range(12):
        run.advance()
    assert codec_loss(run.student, run.teacher, video, config.loss).item() < 0.9 * before


def test_the_teacher_is_its_own_best_student_in_latents():
    codec, video = WanCodec(make_vae()), torch.rand(1, 3, 5, 16, 24)
    rules = CodecLossRules(latent=1.0, pixel=0.0, own=0.0)
    assert codec_loss(codec, codec, video, rules) == 0
    assert codec_loss(WanCodec(make_vae(seed=1)), codec, video, rules) > 0


def test_a_saved_student_is_the_one_that_was_trained(tmp_path):
    entries = StudentRules(3, (1, 1, 2, 2), 1).entries({"_class_name": "AutoencoderKLWan", "z_dim": 16})
    student = new_student(entries, "cpu").eval().requires_grad_(False)
    save_student(student, entries, tmp_path)
    video = torch.rand(1, 3, 5, 16, 24)
    assert torch.equal(load_codec(tmp_path).encode(video), WanCodec(student).encode(video))


@pytest.mark.parametrize(("height", "told"), [("20", "multiples of 8"), ("0", "height"), ("-16", "height")])
def test_wrong_sizes_are_told(codec_config, height, told):
    codec_config.write_text(codec_config.read_text().replace("height = 16", f"height = {height}"))
    with pytest.raises(SettingsError, match=told):
        read_as(CodecTrainConfig, codec_config)


def test_a_checkpoint_of_another_kind_of_run_is_told(codec_config):
    config = read_as(CodecTrainConfig, codec_config)
    write_checkpoint(output_folder(config.output), {"network": {}, "step": 1})
    with pytest.raises(WeightsError, match="choose another output"):
        CodecRun(config)


def test_both_codecs_are_timed():
    small = {"z_dim": 16, "_class_name": "AutoencoderKLWan", "base_dim": 3, "num_res_blocks": 1}
    encode_s, decode_s = times(WanCodec(random_vae(small).eval()), size=16, frames=1, rounds=1)
    assert encode_s > 0
    assert decode_s > 0
