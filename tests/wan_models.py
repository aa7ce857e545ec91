"""Tiny Wan networks of diffusers with random weights, and a whole folder of them as diffusers saves it."""

import logging
import warnings
from pathlib import Path

import torch
from safetensors.torch import save_file

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of other people's imports
    from diffusers.models.autoencoders.autoencoder_kl_wan import AutoencoderKLWan
    from diffusers.models.transformers.transformer_wan import WanTransformer3DModel
logging.getLogger("diffusers").setLevel(logging.ERROR)

TINY = {
    "num_attention_heads": 2,
    "attention_head_dim": 12,
    "text_dim": 20,
    "freq_dim": 16,
    "ffn_dim": 40,
    "num_layers": 2,
}


def make_wan(seed: int = 0, **sizes):
    """diffusers' transformer with random weights, no two norms or tables alike."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = WanTransformer3DModel(**{**TINY, **sizes}).eval().requires_grad_(False)
        for parameter in network.parameters():
            if parameter.ndim == 1:
                parameter.add_(0.1 * torch.randn_like(parameter))
    return network


def make_vae(seed: int = 0, attention: bool = True, **sizes):
    """diffusers' VAE with random weights and few channels; without attention its output is zero, as distilled ones."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        vae = AutoencoderKLWan(**{"base_dim": 4, "num_res_blocks": 1, **sizes}).eval().requires_grad_(False)
    if not attention:
        for name, parameter in vae.named_parameters():
            if ".attentions.0.proj." in name:
                parameter.zero_()
    return vae


def save_member(folder: Path) -> Path:
    """Save transformer, VAE and a made-up null prompt."""
    make_wan().save_pretrained(folder / "transformer")
    make_vae().save_pretrained(folder / "vae")
    tokens = torch.randn(1, TINY["text_dim"], generator=torch.Generator().manual_seed(4))
    save_file({"tokens": tokens}, folder / "null_prompt.safetensors", {"license": "CC0-1.0"})
    return folder
