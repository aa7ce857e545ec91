"""Wan 2.1's VAE, run only where the mask needs it: in crops around it, batched (`model.sasi.wan.crops`).

Its convolutions reach far: a latent depends on 13 latents (104 px) to each side in the encoder, a pixel on 16 in the
decoder. `python -m model.sasi.wan.reach FOLDER` measures what a margin costs. In time everything is causal, and crops
hold all frames of the window: there they are exact. The norms (RMS over channels) look at one place only.

One attention over the whole frame stands in the middle of encoder and decoder, at 1/8 size. It reaches everywhere, so
with it whole frames are encoded, and the decoder's middle is run on whole frames, where it is cheap; its up blocks,
which are most of the work, see crops. A distilled codec has no attention (`model.train.wan.distill_codec`): both its
halves see crops alone.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from model.errors import ShapeError, WeightsError
from model.sasi.tensor_file import check_tensors
from model.sasi.wan.config import LATENT_CHANNELS
from model.sasi.wan.crops import Crop, batches
from model.sasi.wan.weights import CONFIG, read_config, read_tensors

if TYPE_CHECKING:
    from diffusers.models.autoencoders.autoencoder_kl_wan import AutoencoderKLWan

STRIDE_PX = 8
STRIDE_FRAMES = 4
"""A latent frame is four frames; the first stands for one frame alone."""
MARGIN, MARGIN_UP = 16, 8
"""Latents shown around what is wanted, to both halves or to the up blocks alone (docs/wan.md has the errors)."""
_LARGEST_BATCH = 96 * 160
"""Latents of one frame that are computed at once: those of one frame of 768 × 1280."""


class WanCodec:
    """Video (B, 3, T, H, W) in −1..1, T = 4k + 1, to latents (B, 16, k + 1, H / 8, W / 8) and back.

    Latents are normalised channel by channel with the mean and deviation of the VAE's config.
    """

    def __init__(self, vae: AutoencoderKLWan, margin: int | None = None) -> None:
        self.vae = vae
        self.sees_everything = any(attention is not None for attention in vae.decoder.mid_block.attentions)
        self.margin = (MARGIN_UP if self.sees_everything else MARGIN) if margin is None else margin
        self._up = _up_blocks_alone(vae)
        shape = (1, LATENT_CHANNELS, 1, 1, 1)
        self._mean = torch.tensor(vae.config["latents_mean"]).view(shape)
        self._deviation = torch.tensor(vae.config["latents_std"]).view(shape)

    def encode(self, video: Tensor) -> Tensor:
        """Encode whole frames, by the mean of what the VAE finds likely; float32 out. Raises ShapeError."""
        if video.ndim != 5 or (video.shape[2] - 1) % STRIDE_FRAMES or video.shape[3] % 8 or video.shape[4] % 8:
            raise ShapeError(f"video must be (B, 3, 4k + 1, 8h, 8w); got {tuple(video.shape)}")
        found = self.vae.encode(video.to(self.vae.dtype), return_dict=False)[0].mode().float()
        return (found - self._mean.to(found.device)) / self._deviation.to(found.device)

    def decode(self, latents: Tensor) -> Tensor:
        """Decode whole frames; float32, within −1..1."""
        return self.vae.decode(self._scaled(latents), return_dict=False)[0].float()

    def _scaled(self, latents: Tensor) -> Tensor:
        scaled = latents.float() * self._deviation.to(latents.device) + self._mean.to(latents.device)
        return scaled.to(self.vae.dtype)

    def encode_crops(
        self, video: Tensor, crops: list[Crop], encode: Callable[[Tensor], Tensor] | None = None
    ) -> Tensor:
        """Encode one video (1, 3, T, H, W) inside the crops: latents, 0 where no crop is; with attention, all of it.

        Where crops overlap, a latent is that of a crop which has it in its core. `encode` stands for `self.encode`.
        """
        encode_batch = encode or self.encode
        if self.sees_everything and crops:
            return encode_batch(video)
        frames, height, width = video.shape[2:]
        size = (1 + (frames - 1) // STRIDE_FRAMES, height // STRIDE_PX, width // STRIDE_PX)
        latents = video.new_zeros(1, LATENT_CHANNELS, *size)
        found: list[tuple[Crop, Tensor]] = []
        for group in batches(crops, _LARGEST_BATCH):
            encoded = encode_batch(torch.cat([crop.shown.cut(video, STRIDE_PX) for crop in group]))
            found += zip(group, encoded, strict=True)
        for crop, part in found:
            crop.shown.cut(latents)[0] = part
        for crop, part in found:
            crop.core.cut(latents)[0] = crop.core.within(crop.shown).cut(part)
        return latents

    def decode_crops(self, latents: Tensor, crops: list[Crop], onto: Tensor) -> Tensor:
        """Decode latents (1, 16, t, h, w) inside the crops and put their cores into a copy of `onto`, a video."""
        video, decode = onto.clone(), self.decode
        if self.sees_everything and any(crop.shown.size != latents.shape[-2:] for crop in crops):
            latents, decode = self._middle(latents), self._decode_middle
        for group in batches(crops, _LARGEST_BATCH):
            decoded = decode(torch.cat([crop.shown.cut(latents) for crop in group]))
            for crop, part in zip(group, decoded, strict=True):
                crop.core.cut(video, STRIDE_PX)[0] = crop.core.within(crop.shown).cut(part, STRIDE_PX)
        return video

    def _middle(self, latents: Tensor) -> Tensor:
        """Run the decoder as far as its up blocks, on whole frames: (B, C, t, h, w)."""
        decoder = self.vae.decoder
        # all frames at once: causal convolutions without stride give what they give frame by frame with their cache
        return decoder.mid_block(decoder.conv_in(self.vae.post_quant_conv(self._scaled(latents))))

    def _decode_middle(self, middle: Tensor) -> Tensor:
        """Run what `_middle` gave through the up blocks; float32, within −1..1."""
        return self._up.decode(middle, return_dict=False)[0].float()


class _Same(nn.Module):
    def forward(self, x: Tensor, *_: object, **__: object) -> Tensor:
        return x


def _up_blocks_alone(vae: AutoencoderKLWan) -> AutoencoderKLWan:
    """The same VAE, sharing its modules, whose `decode` starts at the up blocks."""
    shell, decoder = copy.copy(vae), copy.copy(vae.decoder)
    for module in (shell, decoder):
        module._modules = dict(module._modules)  # a copy shares the dictionary with its original
    decoder.conv_in, decoder.mid_block = _Same(), _Same()  # type: ignore[assignment]
    shell.decoder, shell.post_quant_conv = decoder, _Same()  # type: ignore[assignment]
    return shell


def load_codec(folder: Path, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32) -> WanCodec:
    """Load a VAE as diffusers saves it (config.json and safetensors). Raises WeightsError, also without diffusers."""
    entries = read_config(folder / CONFIG)
    vae = build_vae(entries)
    tensors = {name: value.to(torch.float32, copy=True) for name, value in read_tensors(folder).items()}
    check_tensors(vae.state_dict(), tensors, folder.name)
    vae.load_state_dict(tensors, assign=True)
    _drop_idle_attention(vae)
    nn.Module.to(vae.eval().requires_grad_(False), device=device, dtype=dtype)
    return WanCodec(vae)


def build_vae(entries: dict) -> AutoencoderKLWan:
    """Make a VAE without weights (on the meta device). Raises WeightsError for another kind than Wan 2.1's."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of other people's imports
            from diffusers.models.autoencoders.autoencoder_kl_wan import AutoencoderKLWan
    except ImportError as error:
        raise WeightsError("Wan's VAE needs diffusers: pip install 'stereo-convert[wan]'") from error
    wanted = {"_class_name": "AutoencoderKLWan", "z_dim": LATENT_CHANNELS}
    optional = {"is_residual": False, "patch_size": None, "scale_factor_spatial": 8, "scale_factor_temporal": 4}
    for name, value in {**wanted, **{name: value for name, value in optional.items() if name in entries}}.items():
        if entries.get(name) != value:
            raise WeightsError(
                f"the VAE's config.json: {name} must be {value!r}, as in Wan 2.1; got {entries.get(name)!r}"
            )
    try:
        with torch.device("meta"):
            return AutoencoderKLWan(**{name: value for name, value in entries.items() if not name.startswith("_")})
    except (TypeError, ValueError, IndexError) as error:
        raise WeightsError(f"the VAE's config.json cannot be built: {error}") from error


def _drop_idle_attention(vae: AutoencoderKLWan) -> None:
    """Leave out attention whose output is zero: a distilled codec is saved with such, for diffusers to read."""
    if not any(value.any() for name, value in vae.named_parameters() if ".attentions." in name and ".proj." in name):
        drop_attention(vae)


def drop_attention(vae: AutoencoderKLWan) -> None:
    """Leave the attention of encoder and decoder out, in place."""
    for half in (vae.encoder, vae.decoder):
        half.mid_block.attentions = nn.ModuleList([None] * len(half.mid_block.attentions))  # type: ignore[list-item]
