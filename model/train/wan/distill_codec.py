"""Distil a Wan VAE into a smaller one: `python -m model.train.wan.distill_codec CONFIG.toml` (paper A.2).

As in CV-VAE (Zhao et al. 2024): the student's latents are drawn to the teacher's, and its decoder learns to give the
truth from the teacher's latents and from its own, so that both halves can take the place of the teacher's.
"""

from __future__ import annotations

import argparse
import copy
import json
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor, nn
from tqdm import tqdm

from model.data.footage import moving_crop
from model.data.media import Library, load_library
from model.errors import SettingsError, StereoError
from model.sasi.wan.codec import WanCodec, build_vae, drop_attention, load_codec
from model.sasi.wan.weights import CONFIG, STEM, read_config
from model.train.checkpoint import (
    follow,
    output_folder,
    read_checkpoint,
    taking_over,
    write_checkpoint,
    written_whole,
)
from model.train.config import read_as
from model.train.run_log import RunLog
from model.train.wan.codec_config import CodecLossRules, CodecTrainConfig
from model.train.wan.run import DTYPES

if TYPE_CHECKING:
    from diffusers.models.autoencoders.autoencoder_kl_wan import AutoencoderKLWan

_log = logging.getLogger("model.train")


def main() -> int:
    """Parse the command line and run; 0 = done, 2 = wrong input."""
    parser = argparse.ArgumentParser(prog="python -m model.train.wan.distill_codec", description=__doc__)
    parser.add_argument("config", type=Path, help="TOML file, for example model/train/configs/wan_codec.toml")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    try:
        distill(read_as(CodecTrainConfig, parser.parse_args().config))
    except StereoError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def distill(config: CodecTrainConfig) -> None:
    """Run or resume until `config.run.steps`; the student lies in the output folder as diffusers saves a VAE."""
    if config.run.device.startswith("cuda") and not torch.cuda.is_available():
        raise SettingsError('[run] device is "cuda" and there is no GPU here; set device = "cpu" to try it in small')
    run = CodecRun(config)
    with tqdm(total=config.run.steps, initial=run.step, unit="step", disable=None) as bar:
        while run.step < config.run.steps:
            bar.set_postfix(loss=f"{run.advance():.4f}")
            bar.update()
    run.save()


class CodecRun:
    """State of a distillation: student, its running mean (EMA), optimiser and step."""

    def __init__(self, config: CodecTrainConfig) -> None:
        self.config, self.step, rules = config, 0, config.run
        self.output = output_folder(config.output)
        self.library = load_library(Path(config.media), config.training)
        self.teacher = load_codec(Path(config.teacher), rules.device, DTYPES[rules.precision])
        self.entries = config.student.entries(read_config(Path(config.teacher) / CONFIG))
        torch.manual_seed(rules.seed)
        self.student = WanCodec(new_student(self.entries, rules.device))
        self.mean = copy.deepcopy(self.student.vae).requires_grad_(False)
        self.optimizer = torch.optim.AdamW(self.student.vae.parameters(), lr=rules.rate)
        self._resume()
        self._log = RunLog(self.output, self.step)

    def advance(self) -> float:
        """Take one optimiser step; return its loss."""
        rules = self.config.run
        for group in self.optimizer.param_groups:
            group["lr"] = rules.rate * min(1.0, (self.step + 1) / max(1, rules.warmup))
        video = draw_video(self.library, self.config, self.step).to(rules.device)
        loss = codec_loss(self.student, self.teacher, video, self.config.loss)
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.student.vae.parameters(), rules.largest_gradient)
        self.optimizer.step()
        self.step += 1
        follow(self.mean.parameters(), self.student.vae.parameters(), rules.ema, self.step)
        if self.step % rules.save_every == 0:
            _log.info("step %d of %d, loss %.4f", self.step, rules.steps, loss.item())
            rate = self.optimizer.param_groups[0]["lr"]
            self._log.scalars("run", {"loss": loss.item(), "rate": rate}, self.step)
            self.save()
        return loss.item()

    def save(self) -> None:
        """Write the checkpoint, and the running mean as a VAE; killed while writing, the old ones stay."""
        state = {"student": self.student.vae.state_dict(), "mean": self.mean.state_dict(), "step": self.step}
        write_checkpoint(self.output, {**state, "optimizer": self.optimizer.state_dict()})
        save_student(self.mean, self.entries, self.output / "vae")

    def _resume(self) -> None:
        state = read_checkpoint(self.output, self.config.run.device)
        if state is None:
            return
        with taking_over(self.output):
            self.student.vae.load_state_dict(state["student"])
            self.mean.load_state_dict(state["mean"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.step = state["step"]
        _log.info("resumed at step %d", self.step)


def new_student(entries: dict, device: torch.device | str) -> AutoencoderKLWan:
    """Make a student with random weights and no attention."""
    vae = random_vae(entries)
    drop_attention(vae)
    nn.Module.to(vae, device=device)
    return vae


def random_vae(entries: dict) -> AutoencoderKLWan:
    """Make a VAE with random weights. Raises WeightsError for another kind than Wan 2.1's."""
    kind = type(build_vae(entries))  # checked first, without memory
    return kind(**{name: value for name, value in entries.items() if not name.startswith("_")})


def save_student(vae: AutoencoderKLWan, entries: dict, folder: Path) -> None:
    """Write a VAE without attention as diffusers saves one: attention is there, and its output is zero."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CONFIG).write_text(json.dumps(entries, indent=2) + "\n", encoding="utf-8")
    held = vae.state_dict()
    tensors = {
        name: (held[name].detach().cpu().float() if name in held else torch.zeros(value.shape)).contiguous()
        for name, value in build_vae(entries).state_dict().items()
    }
    with written_whole(folder / f"{STEM}.safetensors") as partial:
        save_file(tensors, partial, {"format": "pt"})


def draw_video(library: Library, config: CodecTrainConfig, step: int) -> Tensor:
    """Draw the windows of a step: (B, 3, T, H, W) in −1..1, a function of seed and step."""
    rules = config.run
    rng = np.random.default_rng((rules.seed, step))
    crops = [moving_crop(rng, library, rules.frames, rules.height, rules.width) for _ in range(rules.batch)]
    return torch.from_numpy(np.ascontiguousarray(np.stack(crops).transpose(0, 4, 1, 2, 3))) * 2 - 1


def codec_loss(student: WanCodec, teacher: WanCodec, video: Tensor, rules: CodecLossRules) -> Tensor:
    """Compare latents with the teacher's, and what is decoded with the truth; a scalar."""
    with torch.no_grad():
        target = teacher.encode(video)
    latents = student.encode(video)
    loss = rules.latent * F.mse_loss(latents, target) + rules.pixel * F.l1_loss(student.decode(target), video)
    return loss + rules.own * F.l1_loss(student.decode(latents), video)


if __name__ == "__main__":
    sys.exit(main())
