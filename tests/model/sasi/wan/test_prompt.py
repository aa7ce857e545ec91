import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import UMT5Config, UMT5EncoderModel

from model.errors import WeightsError
from model.sasi.wan.prompt import load_null_prompt, make_null_prompt


@pytest.fixture
def folder(tmp_path):
    torch.manual_seed(0)
    config = UMT5Config(vocab_size=30, d_model=20, d_kv=4, d_ff=16, num_layers=2, num_heads=2)
    UMT5EncoderModel(config).save_pretrained(tmp_path / "text_encoder")
    return tmp_path


def test_the_null_prompt_is_the_end_of_text_as_the_encoder_pads_it(folder):
    make_null_prompt(folder, "CC0-1.0")
    prompt = load_null_prompt(folder, 20)
    encoder = UMT5EncoderModel.from_pretrained(folder / "text_encoder")
    padded, seen = torch.zeros(1, 512, dtype=torch.int64), torch.zeros(1, 512, dtype=torch.int64)
    padded[0, 0], seen[0, 0] = 1, 1  # the end of the text
    with torch.no_grad():
        expected = encoder(padded, seen).last_hidden_state[0, 0]
    torch.testing.assert_close(prompt.tokens[0, 0], expected, atol=0.03, rtol=0.03)  # bfloat16
    assert not prompt.tokens[0, 1].any()
    assert prompt.count.tolist() == [1, 511]


def test_without_an_encoder_there_is_no_prompt(tmp_path):
    with pytest.raises(WeightsError, match="text_encoder"):
        make_null_prompt(tmp_path, "CC0-1.0")


def test_a_prompt_of_another_encoder_is_refused(folder):
    make_null_prompt(folder, "CC0-1.0")
    with pytest.raises(WeightsError, match="4096"):
        load_null_prompt(folder, 4096)
    tokens = load_file(folder / "null_prompt.safetensors")["tokens"]
    save_file({"words": tokens.clone()}, folder / "null_prompt.safetensors")
    with pytest.raises(WeightsError, match="named tokens"):
        load_null_prompt(folder, 20)
