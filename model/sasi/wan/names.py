"""Names and shapes of Wan 2.1's tensors: diffusers' layout, the original repository's, and ours.

Both are first brought to diffusers' names, then to ours: queries, keys and values in one matrix, the patch
convolution as a matrix, and the head's rows channels first, so that a token is the same coming in and going out.
"""

from __future__ import annotations

import re

import torch
from torch import Tensor

from model.errors import WeightsError
from model.sasi.wan.config import CONDITION_CHANNELS, LATENT_CHANNELS, PATCH

Tensors = dict[str, Tensor]

_ORIGINAL = (
    (r"^model\.diffusion_model\.", ""),  # as some tools pack it
    (r"^time_embedding\.0\.", "condition_embedder.time_embedder.linear_1."),
    (r"^time_embedding\.2\.", "condition_embedder.time_embedder.linear_2."),
    (r"^time_projection\.1\.", "condition_embedder.time_proj."),
    (r"^text_embedding\.0\.", "condition_embedder.text_embedder.linear_1."),
    (r"^text_embedding\.2\.", "condition_embedder.text_embedder.linear_2."),
    (r"^head\.head\.", "proj_out."),
    (r"^head\.modulation$", "scale_shift_table"),
    (r"\.modulation$", ".scale_shift_table"),
    (r"\.self_attn\.", ".attn1."),
    (r"\.cross_attn\.", ".attn2."),
    (r"(\.attn[12])\.([qkv])\.", r"\1.to_\2."),
    (r"(\.attn[12])\.o\.", r"\1.to_out.0."),
    (r"\.ffn\.0\.", ".ffn.net.0.proj."),
    (r"\.ffn\.2\.", ".ffn.net.2."),
    (r"\.norm3\.", ".norm2."),  # the only norm with weights; the original counts them in another order
)
_OURS = {
    "condition_embedder.time_embedder.linear_1.": "time.0.",
    "condition_embedder.time_embedder.linear_2.": "time.2.",
    "condition_embedder.time_proj.": "steer.",
    "condition_embedder.text_embedder.linear_1.": "text.0.",
    "condition_embedder.text_embedder.linear_2.": "text.2.",
    "attn1.to_out.0.": "attention.out.",
    "attn1.norm_q.": "attention.query_norm.",
    "attn1.norm_k.": "attention.key_norm.",
    "attn2.to_q.": "cross.query.",
    "attn2.to_out.0.": "cross.out.",
    "attn2.norm_q.": "cross.query_norm.",
    "attn2.norm_k.": "cross.key_norm.",
    "norm2.": "cross_norm.",
    "ffn.net.0.proj.": "mlp.0.",
    "ffn.net.2.": "mlp.2.",
}
_JOINED = {
    "attention.qkv.": ("attn1.to_q.", "attn1.to_k.", "attn1.to_v."),
    "cross.key_value.": ("attn2.to_k.", "attn2.to_v."),
}


def is_original(names: set[str]) -> bool:
    """Tell the original repository's names from diffusers'."""
    return any(name.endswith("time_embedding.0.weight") for name in names)


def original_to_diffusers(tensors: Tensors) -> Tensors:
    """Rename tensors of the original single file."""
    return {_renamed(name): value for name, value in tensors.items()}


def _renamed(name: str) -> str:
    for pattern, replacement in _ORIGINAL:
        name = re.sub(pattern, replacement, name)
    return name


def from_diffusers(tensors: Tensors) -> Tensors:
    """Bring diffusers' tensors to our names and shapes; names that are not Wan's stay and are found by the loader.

    Raises WeightsError when a part of a joined matrix is missing, or the patch embedding has other channels.
    """
    rest = dict(tensors)
    ours = _embeddings(rest)
    if "scale_shift_table" in rest:
        ours["head_modulation"] = rest.pop("scale_shift_table").flatten(0, 1)
    for kind in ("weight", "bias"):
        if f"proj_out.{kind}" in rest:
            ours[f"head.{kind}"] = _channels_first(rest.pop(f"proj_out.{kind}"))
    for joined, parts in _JOINED.items():
        for name in [name for name in rest if parts[0] in name]:
            names = [name.replace(parts[0], part) for part in parts]
            if any(part not in rest for part in names):
                raise WeightsError(f"the weights hold {name} but not all of {names[1:]}; fetch them again")
            ours[name.replace(parts[0], joined)] = torch.cat([rest.pop(part) for part in names])
    for name, value in rest.items():
        block = re.sub(r"^blocks\.\d+\.", "", name)
        if block == "scale_shift_table":
            ours[name.replace(block, "modulation")] = value.flatten(0, 1)
            continue
        stem = next((theirs for theirs in _OURS if block.startswith(theirs)), None)
        ours[name if stem is None else name.replace(stem, _OURS[stem], 1)] = value
    return ours


def _embeddings(rest: Tensors) -> Tensors:
    """The patch convolution as two matrices; weights of zero for input that the file does not have."""
    if "patch_embedding.weight" not in rest or "patch_embedding.bias" not in rest:
        raise WeightsError("the weights hold no patch_embedding: this is no Wan 2.1 transformer")
    kernel = rest.pop("patch_embedding.weight")  # (D, C, 1, 2, 2)
    both = LATENT_CHANNELS + CONDITION_CHANNELS
    if kernel.ndim != 5 or kernel.shape[1] not in (LATENT_CHANNELS, both) or kernel.shape[2:] != (1, PATCH, PATCH):
        raise WeightsError(
            f"patch_embedding.weight must be (D, {LATENT_CHANNELS} or {both}, 1, {PATCH}, {PATCH}); "
            f"it is {tuple(kernel.shape)}: another kind of Wan, for example image to video, cannot be used"
        )
    noisy, known = kernel[:, :LATENT_CHANNELS].flatten(1), kernel[:, LATENT_CHANNELS:].flatten(1)
    if not known.shape[1]:
        known = kernel.new_zeros(kernel.shape[0], CONDITION_CHANNELS * PATCH**2)
    return {
        "embed_noisy.weight": noisy,
        "embed_noisy.bias": rest.pop("patch_embedding.bias"),
        "embed_condition.weight": known,
    }


def _channels_first(rows: Tensor) -> Tensor:
    """Rows of the head, from (place in the patch, channel) to (channel, place in the patch)."""
    return rows.unflatten(0, (PATCH**2, LATENT_CHANNELS)).transpose(0, 1).flatten(0, 1)
