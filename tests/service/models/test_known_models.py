"""What can be fetched is pinned to the byte, free to use, and of a kind that we can load."""

from __future__ import annotations

import hashlib
import json

import pytest
import torch

from model.depth.depth_network import check_config
from model.depth.learned import LearnedEstimator
from model.depth.model_folder import CONFIG, MODEL_FILES, PREPROCESSOR, WEIGHTS, FileRecord
from model.depth.model_store import ModelStore
from model.depth.preprocessing import parse_preprocessing
from model.errors import InvalidInputError
from service.models.known_models import HOME, KNOWN_MODELS, find_known, model_home
from service.models.model_install import Terms, add_from_folder
from tests.model.depth.test_preprocessing import PUBLISHED

PUBLISHED_CONFIG = {
    "_commit_hash": None, "architectures": ["DepthAnythingForDepthEstimation"], "backbone": None,
    "backbone_config": {
        "architectures": ["Dinov2Model"], "hidden_size": 384, "image_size": 518, "model_type": "dinov2",
        "num_attention_heads": 6, "out_features": ["stage3", "stage6", "stage9", "stage12"],
        "out_indices": [3, 6, 9, 12], "patch_size": 14, "reshape_hidden_states": False, "torch_dtype": "float32",
    },
    "fusion_hidden_size": 64, "head_hidden_size": 32, "head_in_index": -1, "initializer_range": 0.02,
    "model_type": "depth_anything", "neck_hidden_sizes": [48, 96, 192, 384], "patch_size": 14,
    "reassemble_factors": [4, 2, 1, 0.5], "reassemble_hidden_size": 384, "torch_dtype": "float32",
    "transformers_version": None, "use_pretrained_backbone": False,
}  # fmt: skip
"""config.json of Depth Anything V2 Small, key for key."""


def test_a_mirror_can_take_the_place_of_the_public_home():
    assert model_home({}) == HOME
    assert model_home({"STEREO_CONVERT_MODEL_HOME": "http://127.0.0.1:8080/models/"}) == "http://127.0.0.1:8080/models"
    with pytest.raises(InvalidInputError, match="ftp"):
        model_home({"STEREO_CONVERT_MODEL_HOME": "ftp://there"})


@pytest.mark.parametrize("model", KNOWN_MODELS, ids=lambda model: model.name)
def test_every_known_model_is_pinned_whole_and_free(model):
    assert find_known(model.name) is model
    assert {record.name for record in model.files} == set(MODEL_FILES)
    assert len(model.revision) == 40
    assert all(len(record.sha256) == 64 for record in model.files)
    assert "NC" not in model.license.split("-")


def test_known_depth_anything_is_the_published_one_and_can_be_fed():
    """Its two JSON files, written down here, have the pinned size and hash, and pass our readers."""
    records = {record.name: record for record in find_known("depth-anything-v2-small").files}
    for name, fields in ((CONFIG, PUBLISHED_CONFIG), (PREPROCESSOR, PUBLISHED)):
        text = (json.dumps(fields, indent=2) + "\n").encode()
        assert FileRecord(name, hashlib.sha256(text).hexdigest(), len(text)) == records[name]
    check_config(PUBLISHED_CONFIG)
    assert parse_preprocessing(PUBLISHED).filter == "bicubic"


@pytest.mark.slow
def test_a_random_network_of_the_published_config_has_the_published_size_and_runs(tmp_path):
    """Equal to the byte: so the published file has the tensors, names and shapes that our strict loader expects."""
    transformers = pytest.importorskip("transformers")
    source = tmp_path / "source"
    config = transformers.DepthAnythingConfig.from_dict(PUBLISHED_CONFIG)
    transformers.DepthAnythingForDepthEstimation(config).save_pretrained(source)
    (source / CONFIG).write_text(json.dumps(PUBLISHED_CONFIG))
    (source / PREPROCESSOR).write_text(json.dumps(PUBLISHED))
    records = {record.name: record for record in find_known("depth-anything-v2-small").files}
    assert (source / WEIGHTS).stat().st_size == records[WEIGHTS].size_bytes
    added = add_from_folder(ModelStore(tmp_path / "store"), "full-size", source, Terms(license="Apache-2.0"))
    # 518 / 480 is nearer to 1 than 518 / 270: 518 columns, 270 · 518 / 480 = 291.4 rows, 14 · 21
    assert LearnedEstimator(added).estimate(torch.rand(1, 3, 270, 480)).shape == (1, 1, 294, 518)
