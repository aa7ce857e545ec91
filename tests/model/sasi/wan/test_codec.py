import json

import pytest
import torch

from model.errors import ShapeError, WeightsError
from model.sasi.wan.codec import WanCodec, drop_attention, load_codec
from model.sasi.wan.crops import Box, Crop, plan_crops
from model.sasi.wan.reach import margin_errors, reach, smooth_video, two_edges


def test_latents_are_diffusers_normalised_by_channel(vae_folder, random_vae):
    vae, codec, video = random_vae(), load_codec(vae_folder), smooth_video(32, 48, frames=5)
    expected = vae.encode(video).latent_dist.mode()
    found = codec.encode(video)
    assert found.shape == (1, 16, 2, 4, 6)
    torch.testing.assert_close(found[:, 3] * vae.config.latents_std[3] + vae.config.latents_mean[3], expected[:, 3])
    torch.testing.assert_close(codec.decode(found), vae.decode(expected).sample, atol=1e-4, rtol=1e-4)


def test_one_crop_of_everything_is_the_whole_frame(vae_folder):
    codec, video = load_codec(vae_folder), smooth_video(32, 48, frames=5)
    frame = Box(0, 0, 4, 6)
    latents = codec.encode_crops(video, [Crop(frame, frame)])
    assert torch.equal(latents, codec.encode(video))
    decoded = codec.decode_crops(latents, [Crop(frame, frame)], torch.zeros_like(video))
    assert torch.equal(decoded, codec.decode(latents))


def test_beyond_the_reach_crops_equal_whole_frames(random_vae):
    """Without attention the reach is finite, and a margin as wide makes crops exact."""
    codec = WanCodec(random_vae(attention=False))
    margin = max(reach(codec, side=40))
    assert 8 < margin < 20
    video, needed = smooth_video(64, 640), torch.zeros(8, 80, dtype=torch.bool)
    needed[2:6, 10:13] = True
    (line,) = margin_errors(codec, video, needed, (margin,))
    assert line.share < 0.6
    assert line.error < 3e-5  # decoders with random weights amplify: what is felt is measured for a change of 1


@pytest.mark.parametrize("attention", [False, True])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_default_margin_gives_whole_frames_inside_the_mask(random_vae, attention, seed):
    vae = random_vae(seed=seed, attention=attention)
    if not attention:
        drop_attention(vae)
    codec = WanCodec(vae)
    (line,) = margin_errors(codec, smooth_video(192, 512), two_edges(192, 512), (codec.margin,))
    assert line.share < 0.9
    assert line.error < 1e-3


def test_frames_are_decoded_in_crops_as_they_are_whole(random_vae):
    """The middle runs on all frames at once and the up blocks frame by frame, with the caches of causal time."""
    codec, video = WanCodec(random_vae()), smooth_video(64, 256, frames=9)
    needed = torch.zeros(8, 32, dtype=torch.bool)
    needed[2:4, 2:4] = True
    crops = plan_crops(needed, codec.margin)
    assert len(crops) == 1 and crops[0].shown.area < 8 * 32 * 0.6
    latents = codec.encode_crops(video, crops)
    decoded = codec.decode_crops(latents, crops, torch.zeros_like(video))[..., 16:32, 16:32]
    torch.testing.assert_close(decoded, codec.decode(latents)[..., 16:32, 16:32], atol=1e-3, rtol=0)


def test_a_narrow_margin_is_nearer_than_none(random_vae):
    codec = WanCodec(random_vae())
    errors = [line.error for line in margin_errors(codec, smooth_video(96, 256), two_edges(96, 256), (0, 4, 8))]
    assert errors == sorted(errors, reverse=True)
    assert errors[0] > 10 * errors[2]


def test_pixels_outside_the_cores_stay(vae_folder):
    codec, video = load_codec(vae_folder), smooth_video(64, 128, frames=5)
    needed = torch.zeros(8, 16, dtype=torch.bool)
    needed[2:4, 2:4] = True
    crops = plan_crops(needed, 1)
    onto = torch.full_like(video, 7.0)
    decoded = codec.decode_crops(codec.encode_crops(video, crops), crops, onto)
    assert decoded[..., 16:32, 16:32].max() <= 1
    decoded[..., 16:32, 16:32] = 7
    assert torch.equal(decoded, onto)


def test_attention_whose_output_is_zero_is_left_out(random_vae, tmp_path):
    idle = random_vae(attention=False)
    idle.save_pretrained(tmp_path)
    codec, video = load_codec(tmp_path), smooth_video(32, 48, frames=5)
    assert codec.vae.encoder.mid_block.attentions[0] is None
    torch.testing.assert_close(codec.encode(video), WanCodec(idle).encode(video), atol=1e-5, rtol=1e-5)


def test_attention_reaches_everywhere(random_vae):
    assert reach(WanCodec(random_vae()), side=32, least=1e-9) == (16, 16)


def test_lengths_that_no_latent_frames_hold_are_refused(vae_folder):
    with pytest.raises(ShapeError, match="4k"):
        load_codec(vae_folder).encode(smooth_video(32, 32, frames=4))


@pytest.mark.parametrize(
    ("name", "value"), [("_class_name", "AutoencoderKL"), ("z_dim", 48), ("is_residual", True), ("dim_mult", [1, 2])]
)
def test_another_vae_is_refused_by_name(vae_folder, name, value):
    path = vae_folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), name: value}))
    with pytest.raises(WeightsError, match="does not fit" if name == "dim_mult" else name):
        load_codec(vae_folder)


def test_half_precision_runs(vae_folder):
    video = smooth_video(32, 48, frames=5)
    exact, half = load_codec(vae_folder), load_codec(vae_folder, dtype=torch.bfloat16)
    found = half.encode(video)
    assert found.dtype == torch.float32
    assert (found - exact.encode(video)).abs().max() < 0.05
