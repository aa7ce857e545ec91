"""A depth network of `transformers`, loaded from a local folder so strictly that it is that model or an error.

Nothing is fetched and no code but that of `transformers` runs: safetensors only, no remote code, no hub.
"""

from __future__ import annotations

import contextlib
import importlib.util
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from model.depth.model_folder import CONFIG, PREPROCESSOR, WEIGHTS, ModelFolder, read_json
from model.depth.preprocessing import Preprocessing, parse_preprocessing
from model.errors import WeightsError

ARCHITECTURES = {
    "depth_anything": "DepthAnythingForDepthEstimation",
    "dpt": "DPTForDepthEstimation",
    "zoedepth": "ZoeDepthForDepthEstimation",
}
"""`model_type` of the config.json that can be loaded, and the class it must name."""

MISSING_TRANSFORMERS = "learned depth needs the package transformers; run: pip install 'stereo-convert[depth-models]'"

NEAREST_M = 0.1
"""Metric models: what is nearer than this counts as this near, so that inverse depth stays finite."""

_KEYS_SHOWN = 3
_CONTENT_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What a config of nonsense makes transformers and torch raise while they build the network."""

_BYTES_PER_PX_AND_CHANNEL = 16  # measured 12.5 with Depth Anything V2 Small at 518 x 924


@dataclass(frozen=True)
class DepthNetwork:
    """A loaded network: frames in, inverse depth out."""

    network: nn.Module
    preprocessing: Preprocessing
    predicts: str  # one of model_folder.PREDICTIONS
    channels: int  # of its widest feature map, which decides what memory a pixel takes

    def inverse_depth(self, frames: Tensor) -> Tensor:
        """Look at each frame on its own.

        frames   (T, 3, H, W)  float32, any range, on the network's device
        returns  (T, 1, h, w)  float32, larger is nearer. Relative models: >= 0, of the model's own scale. Metric
                               models: 1/m, at most 1 / NEAREST_M
        """
        predicted = self.network(pixel_values=self.preprocessing.apply(frames)).predicted_depth[:, None]
        predicted = self.preprocessing.restore(predicted.float(), *frames.shape[-2:])
        return 1 / predicted.clamp(min=NEAREST_M) if self.predicts == "depth" else predicted

    def frame_bytes(self, height_px: int, width_px: int) -> int:
        """Memory that one frame of this size takes while it is looked at, beside the weights."""
        height, width = self.preprocessing.input_size(height_px, width_px)
        return height * width * self.channels * _BYTES_PER_PX_AND_CHANNEL


def has_transformers() -> bool:
    """Whether the optional package is installed; does not import it."""
    return importlib.util.find_spec("transformers") is not None


def check_transformers() -> None:
    """Raise WeightsError, saying how to get it, when the optional package is not installed."""
    if not has_transformers():
        raise WeightsError(MISSING_TRANSFORMERS)


def load_network(folder: ModelFolder, device: torch.device | str = "cpu") -> DepthNetwork:
    """Load a model whose files are intact and fit each other.

    Raises WeightsError when a hash differs, the config is none of ARCHITECTURES, the config and the weights disagree,
    or `transformers` is missing.
    """
    folder.verify()
    config = read_json(folder.path / CONFIG)
    check_config(config)
    preprocessing = parse_preprocessing(read_json(folder.path / PREPROCESSOR))
    with torch.inference_mode(False):  # weights moved in inference mode would be of no use outside it
        network = _loaded(folder, config["model_type"])
        network.requires_grad_(False).eval().to(device)
    channels = network.config.fusion_hidden_size
    return DepthNetwork(network, preprocessing, folder.manifest.predicts, channels)


def check_config(config: dict[str, Any]) -> None:
    """Check that a config.json is of an architecture that can be loaded without foreign code or downloads."""
    kind, classes = config.get("model_type"), config.get("architectures") or []
    if kind not in ARCHITECTURES or classes != [ARCHITECTURES[kind]]:
        known = ", ".join(f"{name} ({class_name})" for name, class_name in ARCHITECTURES.items())
        raise WeightsError(
            f"{CONFIG}: expected a depth estimator, one of {known}; got {kind!r} ({', '.join(map(str, classes))})"
        )
    if "auto_map" in config:
        raise WeightsError(
            f"{CONFIG} asks for code of its own (auto_map); only models that transformers has are loaded"
        )
    fetching = [key for key in ("backbone", "use_timm_backbone", "use_pretrained_backbone") if config.get(key)]
    if fetching:
        raise WeightsError(f"{CONFIG} names a backbone to fetch ({', '.join(fetching)}); expected backbone_config")


def predicts_by_default(config: dict[str, Any]) -> str:
    """What a checked config.json says that the network predicts: one of model_folder.PREDICTIONS."""
    metric = config["model_type"] == "zoedepth" or config.get("depth_estimation_type") == "metric"
    return "depth" if metric else "inverse-depth"


def _loaded(folder: ModelFolder, kind: str) -> Any:
    check_transformers()
    import transformers
    from huggingface_hub.errors import StrictDataclassError

    with _quiet():
        try:
            network, report = getattr(transformers, ARCHITECTURES[kind]).from_pretrained(
                folder.path,
                local_files_only=True,
                use_safetensors=True,
                dtype=torch.float32,
                ignore_mismatched_sizes=True,  # so that they are all reported, by us
                output_loading_info=True,
            )
        except (SafetensorError, StrictDataclassError, *_CONTENT_ERRORS) as error:
            raise WeightsError(f"{CONFIG} and {WEIGHTS} of {folder.manifest.name} make no network: {error}") from error
    _check_report(folder.manifest.name, report)
    return network


def _check_report(name: str, report: dict[str, Any]) -> None:
    shapes = [
        f"{key}: expected {tuple(wanted)} by {CONFIG}, found {tuple(found)}"
        for key, found, wanted in sorted(report["mismatched_keys"])
    ]
    missing = [f"expected {key}, not found" for key in sorted(report["missing_keys"])]
    unexpected = [f"found {key}, not expected" for key in sorted(report["unexpected_keys"])]
    problems = shapes + missing + unexpected + [str(message) for message in report.get("error_msgs") or ()]
    if problems:
        more = f" and {len(problems) - _KEYS_SHOWN} more" if len(problems) > _KEYS_SHOWN else ""
        raise WeightsError(
            f"{WEIGHTS} of {name} is not the model of {CONFIG}: {'; '.join(problems[:_KEYS_SHOWN])}{more}"
        )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence what transformers prints while loading: all of it is in our errors."""
    from transformers.utils import logging as their_logging

    level, bars = their_logging.get_verbosity(), their_logging.is_progress_bar_enabled()
    their_logging.set_verbosity(logging.CRITICAL)
    their_logging.disable_progress_bar()
    try:
        yield
    finally:
        their_logging.set_verbosity(level)
        if bars:
            their_logging.enable_progress_bar()
