"""A LoRA run on Wan 2.1: three stages, checkpoints, resume. Started by `python -m model.train CONFIG.toml`."""

from __future__ import annotations

import logging
from pathlib import Path

import torch
from torch import Tensor, nn
from tqdm import tqdm

from model.data.media import load_library
from model.data.pair_folder import StoredPairs
from model.errors import SettingsError
from model.sasi.wan.codec import load_codec
from model.sasi.wan.lora import load_lora, merge_lora
from model.sasi.wan.prompt import load_null_prompt
from model.sasi.wan.transformer import Prompt, WanTransformer
from model.sasi.wan.weights import load_transformer
from model.train.checkpoint import (
    follow,
    output_folder,
    read_checkpoint,
    taking_over,
    write_checkpoint,
    written_whole,
)
from model.train.config import read_as
from model.train.measures import HoleScore, contact_sheet
from model.train.run_log import RunLog
from model.train.wan.adapter import add_lora, restore, write_lora
from model.train.wan.config import WanTrainConfig
from model.train.wan.step import (
    Latents,
    distillation_loss,
    draw_noise,
    draw_sigma,
    encode_windows,
    fill_latents,
    flow_loss,
)
from model.train.wan.windows import Ahead, Windows, draw_windows

_log = logging.getLogger("model.train")
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
_VALIDATION_SEED = 7_777


def train_wan(path: Path) -> None:
    """Run or resume the run that a TOML file describes. Raises SettingsError, WeightsError, InvalidInputError."""
    config = read_as(WanTrainConfig, path)
    if config.run.device.startswith("cuda") and not torch.cuda.is_available():
        raise SettingsError('[run] device is "cuda" and there is no GPU here; set device = "cpu" to try it in small')
    run = WanRun(config)
    with tqdm(total=config.steps, initial=run.step, unit="step", disable=None) as bar:
        while run.step < config.steps:
            bar.set_postfix(loss=f"{run.advance():.4f}")
            bar.update()
    run.save()


class WanRun:
    """State of a run: the network with its LoRA, the LoRA's running mean (EMA), optimiser and step."""

    def __init__(self, config: WanTrainConfig) -> None:
        self.config, self.step = config, 0
        self.output = output_folder(config.output)
        rules, source = config.run, Path(config.weights)
        torch.manual_seed(rules.seed)
        self.network = self._transformer()
        self.network.recompute = rules.recompute
        self.trained = add_lora(self.network, config.lora)
        self.network.to(rules.device)
        self.mean = {name: value.detach().clone() for name, value in self.trained.items()}
        self.codec = load_codec(source / "vae", rules.device, DTYPES[rules.precision])
        text = load_null_prompt(source, self.network.config.text_width)
        self.prompt = Prompt(text.tokens.to(rules.device), text.count.to(rules.device))
        self.library = load_library(Path(config.media), config.training)
        self.held_back = load_library(Path(config.media), config.validation)
        self.pairs = StoredPairs(Path(config.pairs)) if config.pairs else None
        self.optimizer = torch.optim.AdamW(self.trained.values(), weight_decay=rules.weight_decay)
        self._windows = Ahead(self._draw, config.steps, rules.threads)
        self._resume()
        self._log = RunLog(self.output, self.step)
        self._teacher: tuple[int, WanTransformer] | None = None

    def _transformer(self) -> WanTransformer:
        return load_transformer(self.config.weights, "cpu", DTYPES[self.config.run.precision])

    def advance(self) -> float:
        """Take one optimiser step; return its loss."""
        rules = self.config.run
        number, inner = self.config.stage_at(self.step)
        stage = self.config.stages[number]
        if inner == 0 and self.step:
            self.save(f"stage{number}.safetensors")  # what the stages before have reached: a teacher for this one
        for group in self.optimizer.param_groups:
            group["lr"] = stage.rate * min(1.0, (inner + 1) / max(1, rules.warmup))
        latents = encode_windows(self.codec, self._windows.take(self.step), rules.device)
        generator = torch.Generator().manual_seed(rules.seed * 1_000_003 + self.step)
        sigma, noise = draw_sigma(generator, stage.one_step_share), draw_noise(generator, latents.clean)
        self.optimizer.zero_grad()
        total = 0.0
        for start in range(0, stage.batch, rules.micro_batch):
            part = latents.part(start, rules.micro_batch)
            loss = self._loss(number, part, noise[start : start + rules.micro_batch], sigma)
            loss = loss * (len(part.clean) / stage.batch)
            loss.backward()
            total += loss.item()
        nn.utils.clip_grad_norm_(self.trained.values(), rules.largest_gradient)
        self.optimizer.step()
        self.step += 1
        follow(self.mean.values(), (self.trained[name] for name in self.mean), rules.ema, self.step)
        self._report(total)
        return total

    def _draw(self, step: int) -> Windows:
        number, inner = self.config.stage_at(step)
        stage = self.config.stages[number]
        return draw_windows(self.library, self.pairs, stage, self.config.run.seed + number, inner, stage.batch)

    def _loss(self, number: int, latents: Latents, noise: Tensor, sigma: float) -> Tensor:
        steps = self.config.stages[number].teacher_steps
        if not steps:
            return flow_loss(self.network, self.prompt, latents, noise, sigma)
        return distillation_loss(self.network, self._teacher_of(number), self.prompt, latents, noise, steps)

    def _teacher_of(self, number: int) -> WanTransformer:
        """The frozen network that the stage before has reached."""
        if self._teacher is None or self._teacher[0] != number:
            path = self.output / f"stage{number}.safetensors"
            if not path.exists():
                raise SettingsError(f"[stage{number + 1}] teacher_steps needs a stage before it that has steps")
            teacher = self._transformer()
            merge_lora(teacher, load_lora(path))
            self._teacher = (number, teacher.to(self.config.run.device))
        return self._teacher[1]

    def _report(self, loss: float) -> None:
        rules = self.config.run
        if self.step % 10 == 0:
            _log.info("step %d of %d, stage %d, loss %.4f", self.step, self.config.steps, self._stage, loss)
            rate = self.optimizer.param_groups[0]["lr"]
            self._log.scalars("run", {"loss": loss, "rate": rate, "stage": self._stage}, self.step)
        if self.step % rules.save_every == 0:
            self.save()
        if self.step % rules.validate_every == 0:
            self.validate()

    @property
    def _stage(self) -> int:
        return 1 + self.config.stage_at(self.step - 1)[0]

    def save(self, name: str = "lora.safetensors") -> None:
        """Write the checkpoint and the running mean as a LoRA; killed while writing, the old ones stay."""
        state = {"trained": dict(self.trained), "mean": self.mean, "step": self.step}
        write_checkpoint(self.output, {**state, "optimizer": self.optimizer.state_dict()})
        detail = f"step {self.step} of {self.config.steps}, seed {self.config.run.seed}, rank {self.config.lora.rank}"
        with written_whole(self.output / name) as partial:
            write_lora(self.mean, self.config.lora, partial, detail)

    def _resume(self) -> None:
        state = read_checkpoint(self.output, self.config.run.device)
        if state is None:
            return
        with taking_over(self.output):
            restore(self.trained, state["trained"])
            restore(self.mean, state["mean"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.step = state["step"]
        _log.info("resumed at step %d", self.step)

    @torch.no_grad()
    def validate(self) -> HoleScore:
        """Fill held-back windows in one step with the running mean; score them and save a picture of the first."""
        rules, score = self.config.run, HoleScore()
        stage = self.config.stages[self._stage - 1]
        kept = {name: value.detach().clone() for name, value in self.trained.items()}
        restore(self.trained, self.mean)
        for number in range(rules.validation_windows):
            windows = draw_windows(self.held_back, self.pairs, stage, _VALIDATION_SEED, number, 1)
            latents = encode_windows(self.codec, windows, rules.device)
            noise = draw_noise(torch.Generator().manual_seed(number), latents.clean)
            clean = fill_latents(self.network, self.prompt, latents, noise, steps=1)
            blended = torch.where(latents.holed, clean, latents.condition[:, 1:])
            fill, masked, truth = (
                _frames(video) for video in (self.codec.decode(blended), windows.masked, windows.truth)
            )
            hole = windows.hole[0]
            score.add(fill, truth, hole, torch.zeros_like(hole))
            if number == 0:
                shown = [masked, torch.where(hole, fill, truth), truth]
                self._log.picture(contact_sheet(shown, [truth.shape[0] // 2]), self.step)
        restore(self.trained, kept)
        self._log.scalars("validation", {"psnr": score.psnr, "sharpness": score.sharpness}, self.step)
        _log.info("step %d, held back: PSNR %.2f dB, sharpness %.2f in holes", self.step, score.psnr, score.sharpness)
        return score


def _frames(video: Tensor) -> Tensor:
    """(1, 3, T, H, W) in −1..1 to (T, 3, H, W) in 0..1."""
    return (video[0].transpose(0, 1).float().cpu() + 1) / 2
