"""Small random depth models, saved by `transformers` itself, for the tests of everything that loads them.

Imported after `pytest.importorskip("transformers")`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import DPTConfig, PreTrainedModel, ZoeDepthConfig
from transformers.models.depth_anything.configuration_depth_anything import DepthAnythingConfig
from transformers.models.depth_anything.modeling_depth_anything import DepthAnythingForDepthEstimation
from transformers.models.dpt.modeling_dpt import DPTForDepthEstimation
from transformers.models.zoedepth.modeling_zoedepth import ZoeDepthForDepthEstimation

from model.depth.model_folder import MODEL_FILES, Manifest, ModelFolder, record_of

IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
HALF = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}
STEPS = {"do_resize": True, "do_rescale": True, "do_normalize": True, "rescale_factor": 1 / 255}

PREPROCESSORS: dict[str, dict[str, Any]] = {
    "depth_anything": {
        "image_processor_type": "DPTImageProcessor", "size": {"height": 56, "width": 56}, "keep_aspect_ratio": True,
        "ensure_multiple_of": 14, "resample": 3, "do_pad": False, **IMAGENET, **STEPS,
    },
    "dpt": {"feature_extractor_type": "DPTFeatureExtractor", "size": 64, "resample": 2, **HALF, **STEPS},
    "zoedepth": {
        "image_processor_type": "ZoeDepthImageProcessor", "size": {"height": 64, "width": 96},
        "keep_aspect_ratio": True, "ensure_multiple_of": 32, "resample": 2, "do_pad": True, **HALF, **STEPS,
    },
}  # fmt: skip
KINDS = tuple(PREPROCESSORS)

_SMALL = {"hidden_size": 16, "num_hidden_layers": 4, "num_attention_heads": 2}
_VIT = {"image_size": 64, "patch_size": 16, "intermediate_size": 32, **_SMALL}
_NECK = {"neck_hidden_sizes": [8, 8, 16, 16], "fusion_hidden_size": 8}
_BACKBONE = {"out_indices": [1, 2, 3, 4], "reshape_hidden_states": False}

CONFIGS: dict[str, dict[str, Any]] = {
    "depth_anything": {
        "backbone_config": {
            "model_type": "dinov2", "image_size": 28, "patch_size": 14, "mlp_ratio": 2, **_SMALL, **_BACKBONE,
        },
        "reassemble_hidden_size": 16, "head_hidden_size": 8, **_NECK,
    },
    "dpt": {"backbone_out_indices": [0, 1, 2, 3], "is_hybrid": False, **_VIT, **_NECK},
    "zoedepth": {
        "backbone_config": {"model_type": "beit", "use_relative_position_bias": True, **_VIT, **_BACKBONE},
        "bottleneck_features": 8, "num_relative_features": 8, "bin_embedding_dim": 8, "num_attractors": [4, 2, 2, 1],
        "patch_transformer_hidden_size": 16, "patch_transformer_intermediate_size": 16,
        "patch_transformer_num_attention_heads": 2,
        "bin_configurations": [{"n_bins": 8, "min_depth": 0.001, "max_depth": 10.0, "name": "nyu"}], **_NECK,
    },
}  # fmt: skip
_CLASSES: dict[str, tuple[Any, Any]] = {
    "depth_anything": (DepthAnythingForDepthEstimation, DepthAnythingConfig),
    "dpt": (DPTForDepthEstimation, DPTConfig),
    "zoedepth": (ZoeDepthForDepthEstimation, ZoeDepthConfig),
}


def build_network(kind: str, **changes: Any) -> PreTrainedModel:
    """A network of some 40,000 random weights, large enough that its output is no constant."""
    build, build_config = _CLASSES[kind]
    network = build(build_config.from_dict(CONFIGS[kind] | changes))
    with torch.no_grad():
        for weight in network.parameters():
            if weight.ndim > 1:
                nn.init.normal_(weight, std=weight[0].numel() ** -0.5)
    return network.eval()


def save_model(folder: Path, kind: str = "depth_anything", network: PreTrainedModel | None = None) -> Path:
    """Save a network with its preprocessor in `folder`, as a user finds it: without our manifest."""
    (network or build_network(kind)).save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(PREPROCESSORS[kind]))
    return folder


def manifest_of(folder: Path, kind: str = "depth_anything", **changes: Any) -> Manifest:
    """The manifest of what `save_model` saved."""
    fields = {
        "name": folder.name, "architecture": kind, "license": "Apache-2.0", "origin": "a test",
        "predicts": "depth" if kind == "zoedepth" else "inverse-depth",
        "files": tuple(record_of(folder / file) for file in MODEL_FILES),
    }  # fmt: skip
    return Manifest(**(fields | changes))


def saved(folder: Path, kind: str = "depth_anything", network: PreTrainedModel | None = None) -> ModelFolder:
    """A model folder as the store holds it."""
    save_model(folder, kind, network)
    return ModelFolder(folder, manifest_of(folder, kind))
