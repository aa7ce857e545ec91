import pytest
import torch
from safetensors.torch import save_file

import model
from model.errors import Cancelled, WeightsError
from model.sasi.colour_match import match_colours
from model.sasi.tokens import grow
from model.sasi.wan.codec import load_codec
from model.sasi.wan.inpainter import TOKEN_PX, as_video, latent_mask, masked_view
from model.sasi.wan.lora import Lora, save_lora


@pytest.fixture
def inpainter(member_folder):
    return model.load_inpainter(member_folder)


def window(frames=5, height=64, width=96):
    generator = torch.Generator().manual_seed(6)
    view = torch.rand(frames, 3, height, width, generator=generator)
    hole = torch.zeros(frames, 1, height, width, dtype=torch.bool)
    hole[:, :, 20:36, 50:58] = True
    return view, hole, torch.zeros(frames, 1, height, width)


def test_only_the_hole_and_its_feather_change(inpainter):
    view, hole, disparity = window()
    filled = inpainter.fill(view, hole, disparity, feather_px=2.0).view
    near = grow(grow(hole)).expand_as(view)
    assert torch.equal(filled[~near], view[~near])
    inside = hole.expand_as(view)
    assert torch.isfinite(filled).all()
    assert (filled[inside] != view[inside]).float().mean() > 0.99


def test_retention_grows_with_dilation_and_is_that_of_the_grid(inpainter):
    shares = [inpainter.fill(*window(), dilation=k).retention for k in (1, 3, 5, 7, 9)]
    assert shares[0] == 2 * 1 / (4 * 6)  # the hole touches 2 × 1 of 4 × 6 tokens of every latent frame
    assert shares[1] == 4 * 3 / (4 * 6)
    assert shares == sorted(shares)


@pytest.mark.parametrize("stride", [10, 20])
def test_temporal_stride_keeps_whole_latent_frames(inpainter, stride):
    plain = inpainter.fill(*window(), dilation=1).retention
    first = inpainter.fill(*window(), dilation=1, temporal_stride=stride).retention
    later = inpainter.fill(*window(), dilation=1, temporal_stride=stride, first_frame=4).retention
    assert first == (24 + 2) / 48  # latent frame 0 whole, the next one sparse
    assert later == plain


@pytest.mark.parametrize("steps", range(1, 9))
def test_every_number_of_steps_calls_the_network_so_often(inpainter, steps, monkeypatch):
    calls = []
    velocity = inpainter._network.velocity
    monkeypatch.setattr(inpainter._network, "velocity", lambda *x: calls.append(x[1]) or velocity(*x))
    inpainter.fill(*window(frames=1), steps=steps)
    assert calls == pytest.approx([1 - step / steps for step in range(steps)])


def test_the_fill_does_not_see_what_the_view_holds_in_holes(inpainter):
    view, hole, disparity = window()
    first = inpainter.fill(view, hole, disparity, blend=False).view
    second = inpainter.fill(view.masked_fill(hole, 0.9), hole, disparity, blend=False).view
    torch.testing.assert_close(first, second, atol=1e-5, rtol=0)


def test_latents_outside_the_mask_are_the_known_ones(inpainter, member_folder):
    """With a transformer that predicts nothing new, pixels are those of the masked view through the codec, matched."""
    view, hole, disparity = window()
    video, mask = as_video(view, hole)
    known = load_codec(member_folder / "vae").encode(masked_view(video, mask))
    kept_noise = []

    def back_to_the_known(noisy, sigma, prompt, condition, kept):
        kept_noise.append(noisy)
        return noisy - condition.unflatten(-1, (17, 4))[:, :, 1:].flatten(2)

    inpainter._network.velocity = back_to_the_known
    filled = inpainter.fill(view, hole, disparity, blend=False).view
    decoded = (load_codec(member_folder / "vae").decode(known)[0].transpose(0, 1) + 1) / 2
    expected = match_colours(decoded, view, hole, TOKEN_PX)
    inside = hole.expand_as(view)
    torch.testing.assert_close(filled[inside], expected[inside], atol=1e-4, rtol=0)
    assert kept_noise[0].std() == pytest.approx(1, abs=0.1)


def test_a_codec_that_brightens_leaves_no_patch(inpainter, monkeypatch):
    view, hole, disparity = window()
    as_it_is = inpainter.fill(view, hole, disparity, blend=False).view
    decode = inpainter._codec.decode_crops
    monkeypatch.setattr(inpainter._codec, "decode_crops", lambda *given: decode(*given) + 0.2)
    torch.testing.assert_close(inpainter.fill(view, hole, disparity, blend=False).view, as_it_is, atol=1e-5, rtol=0)


def test_any_length_and_size_is_filled(inpainter):
    for size in ((1, 3, 16, 16), (2, 3, 33, 50), (6, 4, 40, 24)):
        view = torch.rand(size)
        hole = torch.zeros(size[0], 1, *size[2:], dtype=torch.bool)
        hole[..., size[3] // 2 :] = True
        filled = inpainter(view, hole, torch.zeros(size[0], 1, *size[2:]))
        assert filled.shape == view.shape
        assert torch.isfinite(filled).all()
        assert torch.equal(filled[:, 3:], view[:, 3:])


def test_equal_windows_give_equal_bits_and_noise_follows_the_clip(inpainter):
    view, hole, disparity = window()
    first = inpainter.fill(view, hole, disparity).view
    assert torch.equal(inpainter.fill(view, hole, disparity).view, first)
    assert not torch.equal(inpainter.fill(view, hole, disparity, first_frame=13).view, first)


def test_an_empty_mask_does_no_work(inpainter):
    view, hole, disparity = window()
    inpainter._network = None
    assert inpainter.fill(view, torch.zeros_like(hole), disparity).view is view


def test_progress_may_cancel_between_steps(inpainter):
    told = []

    def progress(stage, fraction):
        told.append(fraction)
        if fraction > 0.6:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        inpainter.fill(*window(frames=1), steps=4, progress=progress)
    assert told == pytest.approx([0, 0.4, 0.525, 0.65])


def test_a_mask_touches_the_latents_of_its_frames():
    mask = torch.zeros(9, 1, 16, 24, dtype=torch.bool)
    mask[0, 0, 3, 3] = mask[5, 0, 8, 16] = True
    assert latent_mask(mask).nonzero().tolist() == [[0, 0, 0], [2, 1, 2]]


def test_windows_are_lengthened_by_their_last_frame():
    view, hole, _ = window(frames=6)
    video, mask = as_video(view, hole)
    assert video.shape == (1, 3, 9, 64, 96)
    assert torch.equal(video[0, :, 8], view[5] * 2 - 1)
    assert len(mask) == 9


def test_a_lora_changes_the_fill_the_version_and_what_is_told(member_folder, inpainter):
    plain = inpainter.fill(*window(frames=1)).view
    generator = torch.Generator().manual_seed(8)
    down, up = torch.randn(2, 24, generator=generator), torch.randn(72, 2, generator=generator)
    name = "blocks.0.attention.qkv"
    tensors = {f"{name}.lora_A.weight": down, f"{name}.lora_B.weight": up, "embed_condition.weight": torch.ones(24, 68)}
    save_lora(Lora(tensors, alpha=1.0, metadata={"detail": "two steps"}), member_folder / "lora.safetensors")
    tuned = model.load_inpainter(member_folder)
    assert (tuned.license, tuned.detail) == ("CC0-1.0", "two steps")
    assert tuned.version != inpainter.version
    assert not torch.equal(tuned.fill(*window(frames=1)).view, plain)
    change = tuned._network.state_dict()[f"{name}.weight"] - inpainter._network.state_dict()[f"{name}.weight"]
    torch.testing.assert_close(change, up @ down / 2, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    "tensors",
    [
        {"blocks.0.attention.qkv.lora_A.weight": torch.ones(2, 24)},
        {"blocks.7.mlp.0.lora_A.weight": torch.ones(2, 24), "blocks.7.mlp.0.lora_B.weight": torch.ones(40, 2)},
        {"embed_condition.weight": torch.ones(24, 67)},
    ],
)
def test_a_lora_of_another_network_is_refused(member_folder, tensors):
    save_lora(Lora(tensors, alpha=1.0, metadata={}), member_folder / "lora.safetensors")
    with pytest.raises(WeightsError, match="LoRA"):
        model.load_inpainter(member_folder)


def test_other_safetensors_are_no_lora(member_folder):
    save_file({"x": torch.zeros(1)}, member_folder / "lora.safetensors")
    with pytest.raises(WeightsError, match="family"):
        model.load_inpainter(member_folder)


def test_a_folder_without_its_parts_is_told_what_it_lacks(member_folder, tmp_path):
    (member_folder / "null_prompt.safetensors").unlink()
    with pytest.raises(WeightsError, match=r"model\.sasi\.wan\.prompt"):
        model.load_inpainter(member_folder)
    (tmp_path / "empty").mkdir()
    with pytest.raises(WeightsError, match=r"docs/wan\.md"):
        model.load_inpainter(tmp_path / "empty")


def test_a_folder_named_as_shipped_weights_does_not_hide_them(tmp_path, monkeypatch):
    (tmp_path / "lite").mkdir()
    monkeypatch.chdir(tmp_path)
    assert model.load_inpainter("lite").patch_px == 8
