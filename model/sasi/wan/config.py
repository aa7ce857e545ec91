"""Sizes of a Wan 2.1 T2V transformer, read from either layout's config.json or from the tensors themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from model.errors import WeightsError

PATCH = 2
"""A token is PATCH × PATCH latents of one latent frame: 16×16 px, and four frames."""
LATENT_CHANNELS = 16
CONDITION_CHANNELS = 1 + LATENT_CHANNELS
"""The mask and the masked view's latent: input that Wan 2.1 does not have and that starts with weights of zero."""
HEAD_WIDTH = 128
"""Of every published Wan 2.1; needed where a single file comes without a config."""


@dataclass(frozen=True)
class WanConfig:
    """Sizes of the network; the defaults are those of Wan 2.1 T2V 1.3B. Raises WeightsError when they do not fit."""

    layers: int = 30
    heads: int = 12
    head_width: int = 128
    mlp_width: int = 8960
    text_width: int = 4096
    time_width: int = 256  # sines and cosines of sigma

    def __post_init__(self) -> None:
        sizes = (self.layers, self.heads, self.head_width, self.mlp_width, self.text_width, self.time_width)
        if any(not isinstance(size, int) or size < 1 for size in sizes) or self.head_width % 2 or self.head_width < 6:
            raise WeightsError(
                f"sizes must be positive whole numbers and head_width even and at least 6; the config has {self}"
            )

    @property
    def width(self) -> int:
        """D."""
        return self.heads * self.head_width

    @property
    def rope(self) -> tuple[int, int, int]:
        """Channels of a head that turn with t, y and x: a third each, what is left over goes to t."""
        third = 2 * (self.head_width // 6)
        return (self.head_width - 2 * third, third, third)


def from_diffusers(entries: Mapping[str, Any]) -> WanConfig:
    """Read config.json as diffusers writes it. Raises WeightsError for another network or a setting we do not run."""
    _require(entries, "_class_name", ("WanTransformer3DModel",))
    for name, allowed in (
        ("patch_size", ([1, PATCH, PATCH],)),
        ("in_channels", (LATENT_CHANNELS, LATENT_CHANNELS + CONDITION_CHANNELS)),
        ("out_channels", (LATENT_CHANNELS,)),
        ("cross_attn_norm", (True,)),
        ("qk_norm", ("rms_norm_across_heads",)),
        ("eps", (1e-6,)),
        ("image_dim", (None,)),
        ("added_kv_proj_dim", (None,)),
    ):
        _require(entries, name, allowed)
    return _sizes(
        entries,
        {
            "layers": "num_layers",
            "heads": "num_attention_heads",
            "head_width": "attention_head_dim",
            "mlp_width": "ffn_dim",
            "text_width": "text_dim",
            "time_width": "freq_dim",
        },
    )


def from_original(entries: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> WanConfig:
    """Read the original repository's config.json where there is one, and the tensors' shapes.

    entries  may be empty; then heads are taken to be HEAD_WIDTH wide
    shapes   by the original names

    Raises WeightsError when the two do not agree or a setting is one we do not run.
    """
    for name, allowed in (("model_type", ("t2v",)), ("out_dim", (LATENT_CHANNELS,)), ("eps", (1e-6,))):
        if entries:
            _require(entries, name, allowed)
    try:
        width, layers = shapes["patch_embedding.weight"][0], _count_blocks(shapes)
        heads = int(entries.get("num_heads", width // HEAD_WIDTH))
        found = WanConfig(
            layers=layers,
            heads=heads,
            head_width=width // max(heads, 1),
            mlp_width=shapes["blocks.0.ffn.0.weight"][0],
            text_width=shapes["text_embedding.0.weight"][1],
            time_width=shapes["time_embedding.0.weight"][1],
        )
    except KeyError as error:
        raise WeightsError(f"no Wan 2.1 transformer: the file holds no tensor {error}; is it the VAE?") from error
    stated = {"dim": found.width, "num_layers": layers, "ffn_dim": found.mlp_width, "freq_dim": found.time_width}
    for name, value in stated.items():
        _require(entries, name, (value,)) if name in entries else None
    return found


def _count_blocks(shapes: Mapping[str, tuple[int, ...]]) -> int:
    return 1 + max((int(name.split(".")[1]) for name in shapes if name.startswith("blocks.")), default=-1)


def _sizes(entries: Mapping[str, Any], names: Mapping[str, str]) -> WanConfig:
    missing = sorted(theirs for theirs in names.values() if theirs not in entries)
    if missing:
        raise WeightsError(f"config.json must name {', '.join(missing)}; use the file that came with the weights")
    return WanConfig(**{ours: entries[theirs] for ours, theirs in names.items()})


def _require(entries: Mapping[str, Any], name: str, allowed: tuple[Any, ...]) -> None:
    if entries.get(name) not in allowed:
        raise WeightsError(
            f"config.json: {name} must be {' or '.join(map(repr, allowed))} for a Wan 2.1 T2V transformer; "
            f"it is {entries.get(name)!r}"
        )
