"""Tiny Wan networks with random weights, ours and diffusers', saved as diffusers saves them."""

import logging
import warnings
from pathlib import Path

import pytest
import torch

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


@pytest.fixture
def random_wan():
    """A function that makes diffusers' transformer: (seed, **sizes)."""
    return make_wan


@pytest.fixture
def wan_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "transformer"
    make_wan().save_pretrained(folder)
    return folder


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


@pytest.fixture
def random_vae():
    """A function that makes diffusers' VAE: (seed, attention, **sizes)."""
    return make_vae


@pytest.fixture
def vae_folder(tmp_path: Path) -> Path:
    make_vae().save_pretrained(tmp_path / "vae")
    return tmp_path / "vae"
