import json
import pickle

import pytest
import torch
from diffusers.loaders.single_file_utils import convert_wan_transformer_to_diffusers
from safetensors.torch import load, save_file

from model.errors import WeightsError
from model.sasi.wan.config import WanConfig, from_original
from model.sasi.wan.names import original_to_diffusers
from model.sasi.wan.weights import load_transformer

NAME = "diffusion_pytorch_model"


def load_file(path):
    """Not mapped: these tests write to files that they have read."""
    return load(path.read_bytes())


def latents(seed=3):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(1, 16, 2, 4, 4, generator=generator), torch.randn(1, 3, 20, generator=generator)


def original_names(tensors):
    """As Wan's own repository names them, written down from its `wan/modules/model.py`."""
    embedder = "condition_embedder."
    simple = {
        f"{embedder}time_embedder.linear_1": "time_embedding.0",
        f"{embedder}time_embedder.linear_2": "time_embedding.2",
        f"{embedder}text_embedder.linear_1": "text_embedding.0",
        f"{embedder}text_embedder.linear_2": "text_embedding.2",
        f"{embedder}time_proj": "time_projection.1",
        "proj_out": "head.head",
        "patch_embedding": "patch_embedding",
    }
    inner = {"attn1": "self_attn", "attn2": "cross_attn"}
    layers = {"to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "o", "norm_q": "norm_q", "norm_k": "norm_k"}
    renamed = {"head.modulation": tensors["scale_shift_table"]}
    for name, value in tensors.items():
        stem, _, kind = name.rpartition(".")
        if stem in simple:
            renamed[f"{simple[stem]}.{kind}"] = value
        elif name.startswith("blocks."):
            _, number, part = name.split(".", 2)
            block = f"blocks.{number}."
            if part == "scale_shift_table":
                renamed[block + "modulation"] = value
            elif part.startswith("attn"):
                which, layer = part.split(".", 1)
                renamed[f"{block}{inner[which]}.{layers[layer.rpartition('.')[0]]}.{kind}"] = value
            elif part.startswith("ffn"):
                renamed[f"{block}ffn.{'0' if '0' in part else '2'}.{kind}"] = value
            else:
                renamed[f"{block}norm3.{kind}"] = value
    assert len(renamed) == len(tensors)
    return renamed


@pytest.fixture
def original_file(wan_folder, tmp_path):
    """A single file as the original repository has it, with its own config.json beside it."""
    folder = tmp_path / "original"
    folder.mkdir()
    save_file(original_names(load_file(wan_folder / f"{NAME}.safetensors")), folder / f"{NAME}.safetensors")
    entries = {"_class_name": "WanModel", "model_type": "t2v", "dim": 24, "num_heads": 2, "num_layers": 2,
               "ffn_dim": 40, "freq_dim": 16, "in_dim": 16, "out_dim": 16, "eps": 1e-6, "text_len": 512}  # fmt: skip
    (folder / "config.json").write_text(json.dumps(entries))
    return folder / f"{NAME}.safetensors"


def test_the_original_single_file_gives_the_same_network(wan_folder, original_file):
    expected = load_transformer(wan_folder)(latents()[0], 0.5, latents()[1])
    assert torch.equal(load_transformer(original_file)(latents()[0], 0.5, latents()[1]), expected)
    assert torch.equal(load_transformer(original_file.parent)(latents()[0], 0.5, latents()[1]), expected)


def test_the_original_s_names_become_those_that_diffusers_converts_them_to(original_file):
    ours = original_to_diffusers(load_file(original_file))
    theirs = convert_wan_transformer_to_diffusers(load_file(original_file))
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_a_prefix_that_other_tools_put_before_names_is_dropped(wan_folder, original_file):
    prefixed = {f"model.diffusion_model.{name}": value for name, value in load_file(original_file).items()}
    save_file(prefixed, original_file)
    expected = load_transformer(wan_folder)(latents()[0], 0.5, latents()[1])
    assert torch.equal(load_transformer(original_file)(latents()[0], 0.5, latents()[1]), expected)


def test_shards_give_the_same_network(wan_folder, tmp_path, random_wan):
    random_wan().save_pretrained(tmp_path / "shards", max_shard_size="20KB")
    assert len(list((tmp_path / "shards").glob("*.safetensors"))) > 2
    expected = load_transformer(wan_folder)(latents()[0], 0.5, latents()[1])
    assert torch.equal(load_transformer(tmp_path / "shards")(latents()[0], 0.5, latents()[1]), expected)


def test_a_missing_shard_is_named(tmp_path, random_wan):
    random_wan().save_pretrained(tmp_path, max_shard_size="20KB")
    gone = sorted(tmp_path.glob("*.safetensors"))[1]
    gone.unlink()
    with pytest.raises(WeightsError, match=gone.name):
        load_transformer(tmp_path)


def test_a_pipeline_folder_is_looked_into(wan_folder):
    assert load_transformer(wan_folder.parent).config == load_transformer(wan_folder).config


def test_without_a_config_the_original_s_sizes_come_from_its_tensors():
    shapes = {"patch_embedding.weight": (1536, 16, 1, 2, 2), "blocks.29.norm3.weight": (1536,),
              "blocks.0.ffn.0.weight": (8960, 1536), "text_embedding.0.weight": (1536, 4096),
              "time_embedding.0.weight": (1536, 256)}  # fmt: skip
    assert from_original({}, shapes) == WanConfig()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("_class_name", "WanVACETransformer3DModel"),
        ("patch_size", [1, 4, 4]),
        ("in_channels", 36),
        ("image_dim", 1280),
        ("cross_attn_norm", False),
        ("num_layers", 3),
        ("ffn_dim", 48),
        ("attention_head_dim", 0),
    ],
)
def test_a_config_that_does_not_match_is_refused_by_name(wan_folder, name, value):
    path = wan_folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), name: value}))
    named = {"num_layers": "blocks.2", "ffn_dim": "mlp.0", "attention_head_dim": "head_width"}.get(name, name)
    with pytest.raises(WeightsError, match=named):
        load_transformer(wan_folder)


def test_the_original_s_config_must_agree_with_its_tensors(original_file):
    config = original_file.parent / "config.json"
    config.write_text(config.read_text().replace('"ffn_dim": 40', '"ffn_dim": 41'))
    with pytest.raises(WeightsError, match="ffn_dim"):
        load_transformer(original_file)


def test_an_image_to_video_network_is_refused(original_file):
    config = original_file.parent / "config.json"
    config.write_text(config.read_text().replace("t2v", "i2v"))
    with pytest.raises(WeightsError, match="t2v"):
        load_transformer(original_file)


def test_pickles_are_refused_unread(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (pytest.fail, ("the pickle was read",))

    (tmp_path / "model.bin").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(WeightsError, match="pickle"):
        load_transformer(tmp_path)
    with pytest.raises(WeightsError, match="pickle"):
        load_transformer(tmp_path / "model.bin")


def test_truncated_renamed_missing_and_infinite_tensors_are_told(wan_folder):
    file = wan_folder / f"{NAME}.safetensors"
    tensors = load_file(file)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(WeightsError, match="damaged"):
        load_transformer(wan_folder)
    name = "blocks.0.attn1.to_k.weight"
    for change, told in (
        ({"blocks.0.attn1.to_key.weight": tensors[name]}, "attn1.to_k"),
        ({}, "attn1.to_k"),
        ({name: tensors[name].clone().fill_(torch.nan)}, "not finite"),
    ):
        save_file({**{key: value for key, value in tensors.items() if key != name}, **change}, file)
        with pytest.raises(WeightsError, match=told):
            load_transformer(wan_folder)


def test_nothing_there_and_a_vae_are_told(tmp_path):
    with pytest.raises(WeightsError, match="no weights"):
        load_transformer(tmp_path / "nowhere")
    save_file({"encoder.conv_in.weight": torch.zeros(1)}, tmp_path / "vae.safetensors")
    with pytest.raises(WeightsError, match=r"config\.json"):
        load_transformer(tmp_path / "vae.safetensors")
