"""The member `wan2.1-1.3b` as an inpainter: encode, keep tokens, sample, blend, decode (eq. 10–15)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
import xxhash
from torch import Tensor

from model.errors import WeightsError
from model.sasi.blend import feather_weight
from model.sasi.colour_match import match_colours
from model.sasi.fill_rules import FillRules
from model.sasi.inpainter import ENCODED, SAMPLED, STAGE, Card, Encode, Inpainter, Progress
from model.sasi.noise import position_noise
from model.sasi.sampler import sample
from model.sasi.tensor_file import read_tensor_file
from model.sasi.tokens import TokenIndex, keep_index
from model.sasi.wan import lora, prompt
from model.sasi.wan.codec import STRIDE_FRAMES, STRIDE_PX, WanCodec, load_codec
from model.sasi.wan.config import LATENT_CHANNELS, PATCH
from model.sasi.wan.crops import plan_crops
from model.sasi.wan.patches import gather_latents, scatter_latents
from model.sasi.wan.transformer import Prompt, WanTransformer
from model.sasi.wan.weights import load_transformer

TOKEN_PX = PATCH * STRIDE_PX


class WanInpainter(Inpainter):
    """Wan 2.1 on kept tokens between a codec that sees crops around the mask."""

    def __init__(self, network: WanTransformer, codec: WanCodec, null_prompt: Prompt, card: Card) -> None:
        super().__init__(card, TOKEN_PX)
        self._network, self._codec, self._prompt = network, codec, null_prompt
        self._encode: Encode = codec.encode

    def wrap_encoder(self, wrap: Callable[[Encode], Encode]) -> None:
        """Let `wrap` stand before the VAE's encoder."""
        self._encode = wrap(self._encode)

    def between(self, codec: WanCodec) -> WanInpainter:
        """The same transformer between another codec's halves."""
        card = Card(self.name, self.version, self.license, self.detail)
        return WanInpainter(self._network, codec, self._prompt, card)

    def _sample(
        self, view: Tensor, hole: Tensor, disparity: Tensor, feather_px: float, rules: FillRules, progress: Progress
    ) -> tuple[Tensor, float]:
        video, mask = as_video(view, hole)
        holed = latent_mask(mask)
        kept = _keep(holed, rules)
        shown = latent_mask(feather_weight(mask, feather_px) > 0).any(dim=0)
        crops = plan_crops(shown | _latents_of(kept), self._codec.margin)
        known = self._codec.encode_crops(masked_view(video, mask), crops, self._encode)
        progress(STAGE, ENCODED)
        condition = gather_latents(torch.cat((holed[None, None].float(), known), dim=1), kept)

        def velocity(noisy: Tensor, sigma: float) -> Tensor:
            return self._network.velocity(noisy, sigma, self._prompt, condition, kept)

        def on_step(done: int) -> None:
            progress(STAGE, ENCODED + (SAMPLED - ENCODED) * done / rules.steps)

        noise = position_noise(kept.place, LATENT_CHANNELS * PATCH**2)[None]
        clean = scatter_latents(sample(velocity, noise, rules.steps, on_step), kept, known)
        decoded = self._codec.decode_crops(torch.where(holed, clean, known), crops, video)
        image = (decoded[0].transpose(0, 1)[: view.shape[0]] + 1) / 2
        image = match_colours(image, view, hole, TOKEN_PX)
        return image, len(kept) / (kept.grid[0] * kept.grid[1] * kept.grid[2])


def as_video(view: Tensor, hole: Tensor) -> tuple[Tensor, Tensor]:
    """Bring a window to the codec's range and length: the last frame is repeated until there are 4k + 1.

    view (T, 3, H, W) 0..1, hole (T, 1, H, W) bool     returns  (1, 3, T', H, W) in −1..1, and (T', 1, H, W) bool
    """
    frames = torch.arange(view.shape[0] + (1 - view.shape[0]) % STRIDE_FRAMES, device=view.device)
    frames = frames.clamp(max=view.shape[0] - 1)
    return (view[frames] * 2 - 1).clamp(-1, 1).transpose(0, 1)[None], hole[frames]


def masked_view(video: Tensor, hole: Tensor) -> Tensor:
    """V^m of eq. 10: holes are middle grey. video (1, 3, T, H, W) −1..1, hole (T, 1, H, W) bool."""
    return video.masked_fill(hole.transpose(0, 1)[None], 0.0)


def latent_mask(mask: Tensor) -> Tensor:
    """Mark the latents that a mask touches: (4k + 1, 1, H, W) bool to (k + 1, H / 8, W / 8) bool."""
    first, rest = mask[:1, 0].float(), mask[1:, 0].float()
    pooled = F.max_pool2d(torch.cat((first, rest)), STRIDE_PX) > 0
    return torch.cat((pooled[:1], pooled[1:].unflatten(0, (-1, STRIDE_FRAMES)).any(dim=1)))


def _keep(holed: Tensor, rules: FillRules) -> TokenIndex:
    """Select tokens around the holes; latent frames are numbered from the clip's start."""
    marked = F.max_pool2d(holed.float(), PATCH) > 0
    number = rules.first_frame // STRIDE_FRAMES + torch.arange(len(marked), device=marked.device)
    return keep_index(marked, number, rules.dilation, rules.temporal_stride)


def _latents_of(kept: TokenIndex) -> Tensor:
    """Latents that any frame keeps, (h, w) bool."""
    tokens = torch.zeros(kept.grid, dtype=torch.bool, device=kept.position.device)
    tokens[tuple(kept.position.unbind(1))] = True
    return tokens.any(dim=0).repeat_interleave(PATCH, 0).repeat_interleave(PATCH, 1)


def load_wan_inpainter(folder: Path, device: torch.device | str = "cpu") -> WanInpainter:
    """Load a Wan 2.1 folder: transformer, vae, null_prompt.safetensors, and lora.safetensors where there is one.

    Matrices and codec are bfloat16 on a GPU and float32 elsewhere. Raises WeightsError for what is missing or wrong.
    """
    if not (folder / "transformer").is_dir() or not (folder / "vae").is_dir():
        found = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
        raise WeightsError(
            f"expected a folder with transformer, vae and {prompt.FILE}; {folder.name} has "
            f"{', '.join(found) or 'nothing'}; see docs/wan.md"
        )
    dtype = torch.bfloat16 if torch.device(device).type == "cuda" else torch.float32
    network = load_transformer(folder, device)
    metadata = {}
    if (folder / lora.FILE).is_file():
        added = lora.load_lora(folder / lora.FILE)
        lora.merge_lora(network, added)
        metadata = dict(added.metadata)
    text = prompt.load_null_prompt(folder, network.config.text_width)
    text = Prompt(text.tokens.to(device), text.count.to(device))
    codec = load_codec(folder / "vae", device, dtype)
    license = read_tensor_file(folder / prompt.FILE).metadata.get("license", "unknown")
    detail = metadata.get("detail", "without a LoRA: the added input is ignored, so holes are filled from text alone")
    return WanInpainter(network.in_precision(dtype), codec, text, Card(folder.name, _version(folder), license, detail))


def _version(folder: Path) -> str:
    """Hash of every weight and config that a fill depends on."""
    digest = xxhash.xxh3_128()
    parts = [folder / prompt.FILE, folder / lora.FILE]
    parts += [path for part in ("transformer", "vae") for path in sorted((folder / part).iterdir())]
    for path in parts:
        if path.suffix in (".json", ".safetensors") and path.is_file():
            digest.update(path.name.encode())
            with path.open("rb") as file:
                while block := file.read(1 << 22):
                    digest.update(block)
    return digest.hexdigest()[:16]
