"""The prompt that every fill is told: nothing. Wan's text encoder reads it once, and the result is stored.

`python -m model.sasi.wan.prompt FOLDER` makes FOLDER/null_prompt.safetensors with FOLDER/text_encoder (UMT5). Without
that file a folder cannot fill: a made-up embedding, such as zeros, is nothing that Wan has ever seen.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

from model.errors import StereoError, WeightsError
from model.sasi.tensor_file import read_tensor_file
from model.sasi.wan.transformer import Prompt
from model.sasi.wan.weights import CONFIG, read_config

FILE = "null_prompt.safetensors"
TEXT_LENGTH = 512
"""Tokens that Wan reads; what the encoder does not give is filled up with zeros."""


def main() -> int:
    """Make the null prompt of a folder; 0 = done, 2 = wrong input."""
    parser = argparse.ArgumentParser(prog="python -m model.sasi.wan.prompt", description=__doc__)
    parser.add_argument("folder", type=Path, help="a Wan 2.1 folder in diffusers' layout, with text_encoder")
    parser.add_argument("--license", default="Apache-2.0", help="of the text encoder, SPDX (Apache-2.0, as Wan 2.1's)")
    flags = parser.parse_args()
    try:
        print(f"wrote {make_null_prompt(flags.folder, flags.license)}")
    except StereoError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def load_null_prompt(folder: Path, text_width: int) -> Prompt:
    """Read the stored prompt, filled up to 512 tokens. Raises WeightsError when it is missing or of another encoder."""
    path = folder / FILE
    if not path.is_file():
        hint = "python -m model.sasi.wan.prompt FOLDER" if (folder / "text_encoder").is_dir() else (
            "fetch text_encoder of the same release too, then run python -m model.sasi.wan.prompt FOLDER"
        )  # fmt: skip
        raise WeightsError(f"{folder.name} holds no {FILE}, which the network needs; to make it: {hint}")
    stored = read_tensor_file(path).tensors
    if "tokens" not in stored:
        raise WeightsError(f"{path.name} must hold a tensor named tokens; it holds {sorted(stored)}; make it again")
    tokens = stored["tokens"].to(torch.float32, copy=True)
    if tokens.ndim != 2 or not 1 <= len(tokens) < TEXT_LENGTH or tokens.shape[1] != text_width:
        raise WeightsError(
            f"{path.name}: tokens must be (1..{TEXT_LENGTH - 1}, {text_width}) for this transformer; "
            f"it is {tuple(tokens.shape)}"
        )
    padding = torch.zeros(1, text_width)
    count = torch.ones(len(tokens) + 1)
    count[-1] = TEXT_LENGTH - len(tokens)
    return Prompt(torch.cat((tokens, padding))[None], count)


def make_null_prompt(folder: Path, license: str) -> Path:
    """Encode the empty text with the folder's own UMT5 and store it. Raises WeightsError.

    The empty text is one token, the end of the text: no tokenizer is needed. The encoder of Wan 2.1 takes 11 GB of
    memory in bfloat16.
    """
    source = folder / "text_encoder"
    if not source.is_dir():
        raise WeightsError(
            f"expected {source} as diffusers saves Wan 2.1; fetch the folder text_encoder of the release"
        )
    try:
        from transformers import UMT5EncoderModel
    except ImportError as error:
        raise WeightsError("the text encoder needs transformers: pip install 'stereo-convert[depth-models]'") from error
    end = read_config(source / CONFIG).get("eos_token_id", 1)
    try:
        encoder = UMT5EncoderModel.from_pretrained(
            source, dtype=torch.bfloat16, use_safetensors=True, local_files_only=True
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise WeightsError(f"{source} cannot be loaded as UMT5 in safetensors: {error}") from error
    with torch.inference_mode():
        tokens = encoder(input_ids=torch.tensor([[end]])).last_hidden_state[0].float()
    save_file({"tokens": tokens.contiguous()}, folder / FILE, {"made_from": "text_encoder", "license": license})
    return folder / FILE


if __name__ == "__main__":
    sys.exit(main())
