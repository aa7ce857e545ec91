import pytest
import torch
from diffusers.models.transformers.transformer_wan import WanTransformer3DModel

import model
from model.errors import ShapeError
from model.sasi.blocks import attend, normalised
from model.sasi.rope import rotate, rotations
from model.sasi.tokens import TokenIndex
from model.sasi.wan.config import WanConfig
from model.sasi.wan.names import from_diffusers
from model.sasi.wan.patches import all_tokens
from model.sasi.wan.transformer import ROPE_BASE, Prompt, WanTransformer
from model.sasi.wan.weights import load_transformer

TEXT = 20


def inputs(batch=1, channels=16, size=(3, 6, 8), text=TEXT, seed=1):
    generator = torch.Generator().manual_seed(seed)
    latents = torch.randn(batch, channels, *size, generator=generator)
    return latents, torch.randn(batch, 5, text, generator=generator)


@pytest.mark.parametrize(
    "sizes",
    [
        {},
        {"num_attention_heads": 1, "attention_head_dim": 128, "num_layers": 1, "freq_dim": 256},
        {"num_attention_heads": 3, "attention_head_dim": 22, "ffn_dim": 100, "num_layers": 3, "text_dim": 8},
        {"in_channels": 33},
    ],
)
def test_the_velocity_is_that_of_diffusers(tmp_path, random_wan, sizes):
    theirs = random_wan(seed=2, **sizes)
    theirs.save_pretrained(tmp_path)
    ours = model.load_transformer(tmp_path)
    latents, context = inputs(2, theirs.config.in_channels, text=theirs.config.text_dim)
    sigma = torch.tensor([0.3, 1.0])
    expected = theirs(latents, 1000 * sigma, context).sample
    found = ours(latents[:, :16], sigma, context, latents[:, 16:] if latents.shape[1] > 16 else None)
    assert found.shape == expected.shape == (2, 16, 3, 6, 8)
    assert (found - expected).abs().max() < 1e-4 < expected.abs().max() / 1000


def test_the_layout_of_1_3b_is_that_of_diffusers():
    with torch.device("meta"):
        ours = WanTransformer(WanConfig())
        theirs = WanTransformer3DModel(num_attention_heads=12, ffn_dim=8960, num_layers=30)
    added = ours.embed_condition.weight.numel()
    assert sum(p.numel() for p in ours.parameters()) - added == sum(p.numel() for p in theirs.parameters())
    assert 1.41e9 < sum(p.numel() for p in theirs.parameters()) < 1.43e9
    shapes, expected = (
        {name: tuple(value.shape) for name, value in tensors.items()}
        for tensors in (ours.state_dict(), from_diffusers(theirs.state_dict()))
    )
    assert shapes == expected


def test_added_channels_start_without_effect(wan_folder):
    net = load_transformer(wan_folder)
    latents, context = inputs()
    condition = torch.randn(1, 17, 3, 6, 8)
    assert torch.equal(net(latents, 1.0, context, condition), net(latents, 1.0, context))
    assert not WanTransformer(net.config).embed_condition.weight.any()


def test_keeping_every_token_is_dense_exactly(wan_folder):
    net = load_transformer(wan_folder)
    latents, context = inputs()
    assert torch.equal(net(latents, 0.7, context, kept=all_tokens(latents)), net(latents, 0.7, context))


def test_keeping_some_equals_dense_attention_that_cannot_see_the_others(wan_folder, monkeypatch):
    net = load_transformer(wan_folder)
    latents, context = inputs()
    chosen = torch.rand(3 * 3 * 4, generator=torch.Generator().manual_seed(5)) < 0.4
    every = all_tokens(latents)
    sparse = net(latents, 0.7, context, kept=every.subset(chosen))

    def seeing_the_chosen(query, key, value, bias=None):
        hidden = torch.zeros(len(chosen)).masked_fill(~chosen, -torch.inf)
        return attend(query, key, value, hidden if key.shape[1] == len(chosen) else bias)

    monkeypatch.setattr("model.sasi.blocks.attend", seeing_the_chosen)
    masked = net(latents, 0.7, context)
    shown = chosen.view(1, 1, 3, 3, 4).repeat_interleave(2, 3).repeat_interleave(2, 4).expand_as(masked)
    torch.testing.assert_close(sparse[shown], masked[shown], atol=1e-5, rtol=1e-5)
    monkeypatch.undo()
    assert not torch.allclose(masked[shown], net(latents, 0.7, context)[shown], atol=1e-4)
    assert (sparse[~shown] == 0).all()


def test_positions_of_kept_tokens_are_those_in_the_whole_window(wan_folder):
    """Two tokens see each other by their distance in the grid, not in the list."""
    query = torch.randn(1, 2, 1, 12)
    places = torch.tensor([[0, 0, 0], [2, 1, 3]])
    score = score_of(query, places)
    torch.testing.assert_close(score_of(query, places + torch.tensor([1, 2, 5])), score, atol=1e-4, rtol=1e-4)
    assert (score_of(query, torch.tensor([[0, 0, 0], [0, 0, 1]])) - score).abs() > 1e-3


def score_of(query, places):
    turned = rotate(query, *rotations(places, WanConfig(head_width=12).rope, ROPE_BASE))
    return (turned[0, 0] * turned[0, 1]).sum()


def test_a_counted_prompt_is_the_written_out_text(wan_folder):
    net = load_transformer(wan_folder)
    latents, _ = inputs()
    word, padding = torch.randn(1, 1, TEXT), torch.zeros(1, 1, TEXT)
    written = net(latents, 1.0, torch.cat((word, padding.expand(-1, 511, -1)), dim=1))
    counted = net(latents, 1.0, Prompt(torch.cat((word, padding), dim=1), torch.tensor([1.0, 511.0])))
    torch.testing.assert_close(counted, written, atol=1e-5, rtol=1e-4)
    assert not torch.allclose(net(latents, 1.0, torch.cat((word, padding), dim=1)), written, atol=1e-4)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.bfloat16, 0.03), (torch.float16, 0.004)])
def test_half_precision_stays_near_single(wan_folder, dtype, tolerance):
    exact, half = load_transformer(wan_folder), load_transformer(wan_folder, dtype=dtype)
    assert half.state_dict()["blocks.0.attention.qkv.weight"].dtype == dtype
    assert half.state_dict()["blocks.0.attention.query_norm.weight"].dtype == torch.float32
    latents, context = inputs()
    expected, found = exact(latents, 1.0, context), half(latents, 1.0, context)
    assert found.dtype == torch.float32
    assert (found - expected).abs().max() < tolerance * expected.abs().max()


def test_norms_across_heads_see_all_heads():
    norm, heads = torch.nn.RMSNorm(6, eps=1e-6), torch.randn(4, 2, 3)
    flat = heads.flatten(1)
    expected = flat / (flat.square().mean(1, keepdim=True) + 1e-6).sqrt()
    torch.testing.assert_close(normalised(norm, heads).flatten(1), expected)


def test_running_blocks_again_gives_the_same_gradient(wan_folder):
    gradients = []
    for recompute in (False, True):
        net = load_transformer(wan_folder)
        net.recompute = recompute
        net.embed_condition.weight.requires_grad_(True)
        latents, context = inputs()
        net(latents, 1.0, context, torch.ones(1, 17, 3, 6, 8)).square().mean().backward()
        gradients.append(net.embed_condition.weight.grad)
    assert gradients[0].abs().max() > 0
    torch.testing.assert_close(gradients[0], gradients[1])


def test_sizes_that_do_not_fit_are_refused(wan_folder):
    net = load_transformer(wan_folder)
    latents, context = inputs()
    with pytest.raises(ShapeError, match="latents"):
        net(latents[..., :7], 1.0, context)
    with pytest.raises(ShapeError, match="context"):
        net(latents, 1.0, context[..., :3])
    with pytest.raises(ShapeError, match="condition"):
        net(latents, 1.0, context, torch.zeros(1, 16, 3, 6, 8))


def test_a_token_index_names_places_of_the_grid(wan_folder):
    net = load_transformer(wan_folder)
    latents, context = inputs()
    one = TokenIndex(torch.tensor([[1, 2, 3]]), (3, 3, 4), torch.arange(3))
    velocity = net(latents, 1.0, context, kept=one)
    assert velocity[0, :, 1, 4:6, 6:8].abs().min() > 0
    assert velocity.count_nonzero() == 16 * 4
