"""Reading Wan 2.1 transformers: safetensors alone, in diffusers' layout or the original single file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from model.errors import WeightsError
from model.sasi.tensor_file import check_tensors, read_tensor_file
from model.sasi.wan import config as sizes
from model.sasi.wan.names import Tensors, from_diffusers, is_original, original_to_diffusers
from model.sasi.wan.transformer import WanTransformer
from model.sasi.weights import named_path

CONFIG = "config.json"
STEM = "diffusion_pytorch_model"
_INDEX = f"{STEM}.safetensors.index.json"
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
PRECISIONS = (torch.float32, torch.bfloat16, torch.float16)


def load_transformer(
    path: str | Path, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32
) -> WanTransformer:
    """Load a Wan 2.1 T2V transformer, ready to run: `net(latents, sigma, context)` gives the velocity.

    path   a folder with config.json and safetensors, one file or shards with their index, in diffusers' layout or the
           original repository's; a folder that has them in `transformer`; or the original single safetensors file
    dtype  of the matrices: float32, bfloat16 or float16; all else stays float32

    Input channels that the file does not have (mask and masked latent) get weights of zero. Raises WeightsError for
    what is missing, damaged, pickled, of another network, or does not fit its own config.
    """
    if dtype not in PRECISIONS:
        raise WeightsError(f"dtype must be one of {', '.join(map(str, PRECISIONS))}; got {dtype}")
    path = named_path(path)
    if path.is_dir() and (path / "transformer").is_dir():
        path = path / "transformer"
    tensors = read_tensors(path)
    config, tensors = _understood(_config_of(path), tensors)
    with torch.device("meta"):
        network = WanTransformer(config)
    check_tensors(network.state_dict(), tensors, path.name)
    # float32 first: a file in half precision must not make norms half too; copies, for a mapped file that somebody
    # writes to would end the process
    copies = {name: value.to(torch.float32, copy=True) for name, value in tensors.items()}
    network.load_state_dict(copies, assign=True)
    return network.in_precision(dtype).to(device).eval().requires_grad_(False)


def read_tensors(path: Path) -> Tensors:
    """Read all tensors of a safetensors file, or of a folder with one or with shards and their index.

    Raises WeightsError for what is missing, damaged or pickled.
    """
    tensors: Tensors = {}
    for file in [path] if path.is_file() else _files_of(path):
        tensors |= read_tensor_file(file).tensors
    return tensors


def read_config(path: Path) -> dict[str, Any]:
    """Read a config.json; WeightsError when it is none."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WeightsError(f"{path} cannot be read as JSON ({error}); fetch it again") from error
    if not isinstance(entries, dict):
        raise WeightsError(f"{path} must hold a table of settings; it holds {type(entries).__name__}")
    return entries


def _understood(entries: dict[str, Any], tensors: Tensors) -> tuple[sizes.WanConfig, Tensors]:
    """Sizes and tensors in our names, whichever layout they came in."""
    if not is_original(set(tensors)):
        if not entries:
            raise WeightsError(
                f"expected {CONFIG} beside weights in diffusers' layout; fetch it from where they come from"
            )
        return sizes.from_diffusers(entries), from_diffusers(tensors)
    plain = {name.removeprefix("model.diffusion_model."): tuple(value.shape) for name, value in tensors.items()}
    return sizes.from_original(entries, plain), from_diffusers(original_to_diffusers(tensors))


def _config_of(path: Path) -> dict[str, Any]:
    config = (path if path.is_dir() else path.parent) / CONFIG
    return read_config(config) if config.is_file() else {}


def _files_of(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise WeightsError(f"no weights at {folder}: expected a folder with {CONFIG} and safetensors, or such a file")
    if (folder / _INDEX).is_file():
        names = sorted(set(read_config(folder / _INDEX).get("weight_map", {}).values()))
        missing = [name for name in names if Path(name).name != name or not (folder / name).is_file()]
        if missing or not names:
            raise WeightsError(f"{folder.name}: shards {missing} that {_INDEX} names are missing; fetch them again")
        return [folder / name for name in names]
    files = sorted(folder.glob("*.safetensors"))
    if len(files) == 1:
        return files
    pickles = sorted(file.name for file in folder.iterdir() if file.suffix in _PICKLES)
    what = f"{len(files)} safetensors files and no {_INDEX}" if files else "no safetensors file"
    if pickles and not files:
        what += f", only {', '.join(pickles)}: pickles can run code and are refused"
    raise WeightsError(f"expected one safetensors file or shards with their index in {folder}; found {what}")
