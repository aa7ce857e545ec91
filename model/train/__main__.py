"""Train a SASI network: `python -m model.train FILE.toml`. Stopped runs go on from their last checkpoint.

A file that names `weights`, a folder with Wan 2.1, trains a LoRA on it; any other trains lite.
"""

from __future__ import annotations

import argparse
import copy
import logging
import math
import sys
import time
from pathlib import Path

import cv2
import torch
from torch import nn
from torch.utils.data import DataLoader
from tqdm import tqdm

from model.data.dataset import Batch, SceneBatches
from model.data.media import load_library
from model.data.pair_folder import StoredPairs
from model.errors import StereoError
from model.onednn import keep_few_operations
from model.sasi.conditions import row_fill
from model.sasi.config import SasiConfig
from model.sasi.transformer import SasiTransformer
from model.sasi.weights import load_weights, save_weights
from model.train.checkpoint import follow, output_folder, read_checkpoint, taking_over, write_checkpoint
from model.train.config import TrainConfig, read_config, read_table
from model.train.lpips import load_lpips
from model.train.measures import contact_sheet, mean_gain, pooled
from model.train.run_log import RunLog
from model.train.step import fill_batch, score_fills, training_loss

_log = logging.getLogger("model.train")
_VALIDATION_SEED = 7_777


def main() -> int:
    """Parse the command line and run; 0 = done, 2 = wrong input."""
    parser = argparse.ArgumentParser(prog="python -m model.train", description=__doc__)
    parser.add_argument("config", type=Path, help="TOML file, for example model/train/configs/lite.toml")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    path = parser.parse_args().config
    keep_few_operations()
    try:
        if "weights" in read_table(path):
            from model.train.wan.run import train_wan

            train_wan(path)
        else:
            train(read_config(path))
    except StereoError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def train(config: TrainConfig) -> None:
    """Run or resume until `config.run.steps`; writes checkpoint, weights, previews and a log into the output folder."""
    torch.set_num_threads(config.run.threads)
    cv2.setNumThreads(1)
    run = Run(config, output_folder(config.output))
    library = load_library(Path(config.media), config.training)
    held_back = load_library(Path(config.media), config.validation)
    validation = SceneBatches(held_back, config.validation_scenes, _VALIDATION_SEED)
    run.validation = [validation[number] for number in range(config.run.validation_windows)]
    pairs = StoredPairs(Path(config.pairs)) if config.pairs else None
    data = SceneBatches(library, config.scenes, config.run.seed, run.step, config.run.steps, pairs)
    batches = DataLoader(data, batch_size=None, num_workers=config.run.workers, worker_init_fn=_one_thread)
    with tqdm(total=config.run.steps, initial=run.step, unit="step", disable=None) as bar:
        for batch in batches:
            if run.done >= 1:
                break
            run.advance(batch)
            bar.update()
    run.finish()


def _one_thread(_: int) -> None:
    torch.set_num_threads(1)
    cv2.setNumThreads(1)


class Run:
    """The state of a training run: network, its running mean (EMA), optimiser and step."""

    def __init__(self, config: TrainConfig, output: Path) -> None:
        self.config, self.output, self.step, self._earlier_s = config, output, 0, 0.0
        self.validation: list[Batch] = []
        torch.manual_seed(config.run.seed)
        self.network = _first_network(config.start)
        self.mean = copy.deepcopy(self.network).requires_grad_(False)
        self.optimizer = torch.optim.AdamW(_groups(self.network, config.run.weight_decay), lr=config.run.rate)
        self._resume()
        rules = config.loss
        self.perceptual = load_lpips(Path(rules.perceptual_weights)) if rules.perceptual else None
        self._log = RunLog(output, self.step)
        self._losses: list[dict[str, float]] = []
        self._since = self._started = time.monotonic()

    @property
    def _elapsed_s(self) -> float:
        return self._earlier_s + time.monotonic() - self._started

    @property
    def done(self) -> float:
        """Fraction of the run, 0..1, by steps or by time, whichever is further; the rate follows it."""
        run = self.config.run
        by_time = self._elapsed_s / (60 * run.minutes) if run.minutes else 0.0
        return max(self.step / run.steps, by_time)

    def _resume(self) -> None:
        state = read_checkpoint(self.output)
        if state is None:
            return
        with taking_over(self.output):
            self.network.load_state_dict(state["network"])
            self.mean.load_state_dict(state["mean"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.step, self._earlier_s = state["step"], state["elapsed_s"]
        _log.info("resumed at step %d", self.step)

    def advance(self, batch: Batch) -> None:
        """Train on one batch, then log, save and validate when it is time."""
        run = self.config.run
        done = self.done
        rate = run.rate * learning_rate_share(self.step, done, run.warmup)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        late = done >= self.config.loss.perceptual_from
        parts = training_loss(self.network, batch, self.step, run, self.config.loss, self.perceptual if late else None)
        loss = torch.stack(list(parts.values())).sum()
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), run.largest_gradient)
        self.optimizer.step()
        self.step += 1
        follow(self.mean.parameters(), self.network.parameters(), run.ema, self.step)
        self._losses.append({name: value.item() for name, value in parts.items()})
        self._report(rate)

    def _report(self, rate: float) -> None:
        if self.step % self.config.run.report_every == 0:
            pace = (time.monotonic() - self._since) / len(self._losses)
            means = _means(self._losses)
            self._log.scalars("loss", means, self.step)
            self._log.scalars("run", {"rate": rate, "seconds a step": pace}, self.step)
            shown = "  ".join(f"{name} {value:.4f}" for name, value in means.items())
            _log.info("step %d  %s  rate %.2e  %.2f s/step", self.step, shown, rate, pace)
            self._losses, self._since = [], time.monotonic()
        if self.step % self.config.run.save_every == 0:
            self._save()
        if self.step % self.config.run.validate_every == 0:
            self.validate()
            self._since = time.monotonic()

    def _save(self) -> None:
        state = {
            "network": self.network.state_dict(),
            "mean": self.mean.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "elapsed_s": self._elapsed_s,
        }
        write_checkpoint(self.output, state)
        save_weights(self.mean, self.output / "latest.safetensors", self._metadata)

    @property
    def _metadata(self) -> dict[str, str]:
        detail = f"step {self.step} of {self.config.run.steps}, seed {self.config.run.seed}"
        return {"license": "Apache-2.0", "detail": detail}

    @torch.no_grad()
    def validate(self) -> None:
        """Score the running mean on media held back, keep its weights, and save pictures."""
        scores = score_fills(self.mean, self.validation, self.perceptual)
        for name, windows in scores.items():
            total, (gain, worst) = pooled(windows), mean_gain(windows, scores["push-pull"])
            _log.info(
                "%-10s PSNR %.2f, over push-pull %+.2f (worst window %+.2f)  edge strip %.2f  sharpness %.2f  "
                "LPIPS x100 %.3f",
                *(name, total.psnr, gain, worst, total.edge_psnr, total.sharpness, 100 * total.lpips),
            )
            noted = {"psnr": total.psnr, "over push-pull": gain, "worst window": worst, "sharpness": total.sharpness}
            self._log.scalars(f"validation {name}", {**noted, "lpips": total.lpips}, self.step)
        save_weights(self.mean, self.output / f"step_{self.step:06d}.safetensors", self._metadata)
        batch = self.validation[0]
        magenta = torch.tensor((1.0, 0.0, 1.0)).view(3, 1, 1)
        shown = torch.where(batch.conditions.hole, magenta, batch.conditions.known)
        columns = [shown, batch.conditions.known, row_fill(batch.conditions), fill_batch(self.mean, batch)]
        self._log.picture(contact_sheet([*columns, batch.truth], [batch.frames // 2]), self.step)

    def finish(self) -> None:
        """Save and score the end of the run."""
        self._save()
        self.validate()
        self._log.close()


def _means(losses: list[dict[str, float]]) -> dict[str, float]:
    """Mean of every part of the loss; a part that began meanwhile is 0 before."""
    return {name: sum(parts.get(name, 0.0) for parts in losses) / len(losses) for name in losses[-1]}


def _first_network(start: str) -> SasiTransformer:
    """An untrained network, or that of given weights."""
    if not start:
        return SasiTransformer(SasiConfig())
    return load_weights(start).network.train().requires_grad_(True)


def _groups(network: nn.Module, weight_decay: float) -> list[dict]:
    """Decay matrices, not biases, norms or modulations."""
    matrices = [value for value in network.parameters() if value.ndim == 2 and value.shape[0] > 6]
    others = [value for value in network.parameters() if value.ndim != 2 or value.shape[0] <= 6]
    return [{"params": matrices, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]


def learning_rate_share(step: int, done: float, warmup: int) -> float:
    """Fraction of the full rate: a linear start over `warmup` steps, then a cosine to 1 % at `done` = 1."""
    return min(1.0, (step + 1) / warmup) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(done, 1))))


if __name__ == "__main__":
    sys.exit(main())
