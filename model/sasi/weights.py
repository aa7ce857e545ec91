"""Reading and writing SASI weights: safetensors with the network's configuration in the metadata, strict."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file

from model.errors import WeightsError
from model.sasi.config import FAMILY, SasiConfig
from model.sasi.tensor_file import check_tensors, read_tensor_file
from model.sasi.transformer import SasiTransformer

SHIPPED = Path(__file__).parent.parent / "weights"
"""Weights that come with the product; `NAME.md` beside `NAME.safetensors` is the model card."""


@dataclass(frozen=True)
class LoadedWeights:
    """A network ready to run, and where it came from. `version` is a hash of the file."""

    network: SasiTransformer
    name: str
    version: str
    metadata: dict[str, str]


def save_weights(network: SasiTransformer, path: Path, metadata: dict[str, str]) -> None:
    """Write a network in half precision; `metadata` (license, detail, ...) is kept beside the configuration."""
    tensors = {name: value.detach().to(torch.float16).contiguous() for name, value in network.state_dict().items()}
    save_file(tensors, path, {**metadata, "family": FAMILY, "config": network.config.to_json()})


def load_weights(name_or_path: str | Path, device: torch.device | str = "cpu") -> LoadedWeights:
    """Load shipped weights by name, or a safetensors file by path; computes in float32.

    Raises WeightsError for a file that is missing, damaged, of another kind, or whose tensors are not exactly those
    of its configuration.
    """
    path = _find(name_or_path)
    file = read_tensor_file(path)
    tensors, metadata = file.tensors, file.metadata
    if metadata.get("family") != FAMILY:
        raise WeightsError(f"{path.name} must be of family {FAMILY!r}; its metadata says {metadata.get('family')!r}")
    config = SasiConfig.from_json(metadata.get("config", ""))
    _check_room(config, tensors, path.name)
    network = SasiTransformer(config)
    check_tensors(network.state_dict(), tensors, path.name)
    network.load_state_dict({key: value.float() for key, value in tensors.items()})
    version = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    return LoadedWeights(network.to(device).eval().requires_grad_(False), path.stem, version, metadata)


def named_path(name_or_path: str | Path) -> Path:
    """Take what names weights as a path. Raises WeightsError for anything that names no file on this system."""
    if not isinstance(name_or_path, str | Path) or not str(name_or_path):
        raise WeightsError(f"expected the name of shipped weights ({_shipped_names()}) or a path; got {name_or_path!r}")
    path = Path(name_or_path)
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        pass  # the caller says what it looked for
    except (OSError, ValueError) as error:  # too long, not to be entered, or with a zero in it
        reason = error.strerror if isinstance(error, OSError) else error
        raise WeightsError(f"weights {str(path)!r:.80} cannot be looked at: {reason}; give another path") from error
    return path


def is_shipped(name: str | Path) -> bool:
    """Tell the name of weights that come with the product from a path."""
    return Path(name).name == str(name) and (SHIPPED / f"{name}.safetensors").is_file()


def _find(name_or_path: str | Path) -> Path:
    path = named_path(name_or_path)
    if path.is_file():
        return path
    if is_shipped(name_or_path):
        return SHIPPED / f"{name_or_path}.safetensors"
    raise WeightsError(
        f"no weights {str(name_or_path)!r}: give the path of a .safetensors file or one of: {_shipped_names()}"
    )


def _shipped_names() -> str:
    return ", ".join(sorted(found.stem for found in SHIPPED.glob("*.safetensors"))) or "none"


def _check_room(config: SasiConfig, tensors: dict[str, torch.Tensor], file_name: str) -> None:
    """Take no memory for sizes that the file's own tensors cannot have.

    Building on the meta device would tell, too, but imports torch's compiler: two seconds, and a folder in /tmp.
    """
    held = sum(value.numel() for value in tensors.values())
    per_width = max(config.width * max(6, config.mlp_ratio, len(config.scopes)), config.pixel_width)
    asked = config.width * max(per_width, config.sources * config.patch_px**2)
    if asked > held:
        raise WeightsError(
            f"{file_name}: its configuration asks for {asked} numbers or more; its tensors hold {held}; fetch it again"
        )
