import json
import pickle

import pytest
import torch
from safetensors.torch import load_file, save_file

from model.errors import WeightsError
from model.sasi.config import FAMILY
from model.sasi.inpainter import load_inpainter
from model.sasi.wan.weights import load_transformer
from model.sasi.weights import load_weights, save_weights


@pytest.fixture
def file(tiny_network, tmp_path):
    path = tmp_path / "tiny.safetensors"
    save_weights(tiny_network, path, {"license": "CC0-1.0", "detail": "random"})
    return path


def rewritten(file, tensors, **metadata):
    from safetensors import safe_open

    with safe_open(file, framework="pt") as opened:
        save_file(tensors, file, {**opened.metadata(), **metadata})
    return file


def test_weights_come_back_with_their_config_and_metadata(file, tiny_network):
    loaded = load_weights(file)
    assert loaded.network.config == tiny_network.config
    for name, value in tiny_network.state_dict().items():
        assert torch.equal(loaded.network.state_dict()[name], value.half().float())
    inpainter = load_inpainter(file)
    assert (inpainter.name, inpainter.license, inpainter.detail) == ("tiny", "CC0-1.0", "random")


def test_version_changes_with_any_bit_of_the_file(file):
    before = load_weights(file).version
    tensors = load_file(file)
    tensors["embed_noisy.bias"][0] += 1
    assert load_weights(rewritten(file, tensors)).version != before


def test_an_unknown_name_lists_what_there_is():
    with pytest.raises(WeightsError, match="lite"):
        load_weights("heavy")


@pytest.mark.parametrize("load", [load_inpainter, load_weights, load_transformer])
@pytest.mark.parametrize("nothing", [None, "", 7, b"lite"])
def test_what_can_name_no_weights_is_refused_with_what_could(load, nothing):
    with pytest.raises(WeightsError, match=r"name of shipped weights \(.*lite.*\) or a path; got " + repr(nothing)):
        load(nothing)


@pytest.mark.parametrize("load", [load_inpainter, load_weights, load_transformer])
@pytest.mark.parametrize("path", ["x" * 5000, "a\0b"])
def test_a_path_that_the_system_cannot_look_at_is_told(load, path):
    with pytest.raises(WeightsError, match="cannot be looked at") as told:
        load(path)
    assert len(str(told.value)) < 300


def test_truncated_files_are_refused(file):
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(WeightsError, match="damaged"):
        load_weights(file)


def test_files_that_are_no_safetensors_are_refused(file):
    file.write_bytes(b"not weights")
    with pytest.raises(WeightsError, match="damaged"):
        load_weights(file)


@pytest.mark.parametrize("suffix", [".pt", ".ckpt", ".pth", ".bin"])
def test_pickles_are_refused_unopened(tmp_path, suffix):
    path = tmp_path / f"weights{suffix}"
    path.write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(WeightsError, match="refused"):
        load_weights(path)


class _Evil:
    def __reduce__(self):
        return print, ("executed",)


def test_a_pickle_renamed_to_safetensors_is_refused_and_not_run(tmp_path, capsys):
    path = tmp_path / "lite.safetensors"
    path.write_bytes(pickle.dumps(_Evil()))
    with pytest.raises(WeightsError, match="damaged or no safetensors"):
        load_weights(path)
    assert capsys.readouterr().out == ""


def test_weights_of_something_else_are_refused(tmp_path):
    path = tmp_path / "other.safetensors"
    save_file({"weight": torch.zeros(3)}, path)
    with pytest.raises(WeightsError, match=f"family '{FAMILY}'; its metadata says None"):
        load_weights(path)


def test_renamed_tensors_are_refused(file):
    tensors = load_file(file)
    tensors["embed_noise.bias"] = tensors.pop("embed_noisy.bias")
    with pytest.raises(WeightsError, match=r"embed_noisy\.bias.*embed_noise\.bias"):
        load_weights(rewritten(file, tensors))


def test_wrong_shapes_are_refused(file):
    tensors = load_file(file)
    tensors["embed_noisy.bias"] = torch.zeros(7)
    with pytest.raises(WeightsError, match=r"embed_noisy\.bias must have shape \(24,\); it has \(7,\)"):
        load_weights(rewritten(file, tensors))


def test_values_that_are_not_finite_are_refused(file):
    tensors = load_file(file)
    tensors["embed_noisy.bias"][0] = torch.nan
    with pytest.raises(WeightsError, match="finite"):
        load_weights(rewritten(file, tensors))


def test_a_config_that_does_not_match_is_refused(file, tiny_network):
    config = tiny_network.config.to_json().replace('"mlp_ratio": 2', '"mlp_ratio": 3')
    with pytest.raises(WeightsError, match="shape"):
        load_weights(rewritten(file, load_file(file), config=config))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("heads", 0),
        ("width", -24),
        ("width", 4_000_000_000),
        ("patch_px", 8.0),
        ("pixel_width", True),
        ("rope", [8.0, 8, 8]),
        ("reach_px", float("nan")),
        ("residual", "x"),
        ("scopes", [{"extent": [0, 8, 8], "offset": [0, 0, 0]}]),
        ("scopes", [{"extent": [1, 8], "offset": [0, 0]}]),
        ("scopes", [{"extent": [9999, 9999, 9999], "offset": [0, 0, 0]}]),
    ],
)
def test_a_config_of_nonsense_is_refused_before_anything_is_built(file, tiny_network, name, value):
    config = json.dumps({**json.loads(tiny_network.config.to_json()), name: value})
    with pytest.raises(WeightsError, match=name.removesuffix("s")):
        load_weights(rewritten(file, load_file(file), config=config))


def test_whole_numbers_are_no_weights(file):
    whole = {name: tensor.to(torch.int8) for name, tensor in load_file(file).items()}
    with pytest.raises(WeightsError, match="floating-point"):
        load_weights(rewritten(file, whole))


def test_another_family_is_refused(file):
    with pytest.raises(WeightsError, match=FAMILY):
        load_weights(rewritten(file, load_file(file), family="other"))
