"""Loading is strict, and what is loaded computes what `transformers` computes."""

from __future__ import annotations

import json

import pytest
import torch
import torch.nn.functional as F

pytest.importorskip("transformers")

from safetensors.torch import load_file, save_file

from model.depth.depth_network import ARCHITECTURES, NEAREST_M, check_config, load_network, predicts_by_default
from model.depth.model_folder import CONFIG, WEIGHTS, ModelFolder
from model.errors import WeightsError
from tests.depth_models import KINDS, build_network, manifest_of, save_model, saved


def test_every_architecture_is_one_that_transformers_estimates_depth_with():
    from transformers.models.auto.modeling_auto import MODEL_FOR_DEPTH_ESTIMATION_MAPPING_NAMES

    assert ARCHITECTURES.items() <= MODEL_FOR_DEPTH_ESTIMATION_MAPPING_NAMES.items()


@pytest.mark.parametrize("kind", KINDS)
def test_one_image_gives_what_the_pipeline_of_transformers_gives(kind, tmp_path):
    """Their pipeline from 8 bit pixels to depth at the image's size; the same through our network and their upsampling.

    They feed 8 bit, we feed floats: up to 1.13 levels apart (test_preprocessing.py), which these random networks
    carry on to less than 2 % of the depth's range; ZoeDepth is fed floats by both.
    """
    folder = saved(tmp_path / "tiny", kind)
    image = (torch.rand(3, 48, 80) * 255).round()
    theirs = their_pipeline_depth(folder, kind, image)
    ours = load_network(folder).inverse_depth(image[None] / 255)
    if folder.manifest.predicts == "depth":
        ours = 1 / ours
    ours = F.interpolate(ours, size=(48, 80), mode="bicubic", align_corners=False)[0, 0]
    # ZoeDepth: they cut the padding off after, we before the last upsampling, so the outermost pixels differ
    inner = (slice(2, -2), slice(2, -2)) if kind == "zoedepth" else (slice(None), slice(None))
    span = theirs.max() - theirs.min()
    assert span > 0
    assert ((ours - theirs)[inner].abs().max() / span) < 0.02


@pytest.mark.parametrize("kind", KINDS)
def test_equal_input_gives_equal_bits_as_in_transformers(kind, tmp_path):
    original = build_network(kind)
    network = load_network(saved(tmp_path / "tiny", kind, original))
    pixels = network.preprocessing.apply(torch.rand(2, 3, 48, 80))
    with torch.no_grad():
        assert torch.equal(network.network(pixel_values=pixels).predicted_depth, original(pixels).predicted_depth)


def test_metric_depth_becomes_inverse_metres(tmp_path):
    metric = build_network("depth_anything", depth_estimation_type="metric", max_depth=20)
    save_model(tmp_path / "tiny", network=metric)
    config = json.loads((tmp_path / "tiny" / CONFIG).read_text())
    assert predicts_by_default(config) == "depth"
    frames = torch.rand(1, 3, 40, 60)
    network = load_network(ModelFolder(tmp_path / "tiny", manifest_of(tmp_path / "tiny", predicts="depth")))
    with torch.no_grad():
        metres = metric(network.preprocessing.apply(frames)).predicted_depth
        inverse = network.inverse_depth(frames)[:, 0]
    assert torch.allclose(inverse, 1 / metres.clamp(min=NEAREST_M))
    assert inverse.max() <= 1 / NEAREST_M


@pytest.mark.parametrize(("kind", "expected"), [("depth_anything", "inverse-depth"), ("zoedepth", "depth")])
def test_architecture_says_what_is_predicted(kind, expected):
    assert predicts_by_default({"model_type": kind}) == expected


def test_half_precision_weights_are_computed_in_single(tmp_path):
    network = load_network(saved(tmp_path / "tiny", network=build_network("depth_anything").half()))
    assert {weight.dtype for weight in network.network.parameters()} == {torch.float32}


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (lambda weights: weights.pop("head.conv1.bias"), r"expected head\.conv1\.bias, not found"),
        (lambda weights: weights.update(extra=torch.zeros(3)), "found extra, not expected"),
        (
            lambda weights: weights.update({"head.conv1.bias": torch.zeros(7)}),
            r"head\.conv1\.bias: expected \(4,\) by config\.json, found \(7,\)",
        ),
    ],
    ids=["missing", "unexpected", "mis-shaped"],
)
def test_weights_that_do_not_fit_the_config_are_refused_with_what_was_expected(damage, named, tmp_path):
    folder = save_model(tmp_path / "tiny")
    weights = load_file(folder / WEIGHTS)
    damage(weights)
    save_file(weights, folder / WEIGHTS, metadata={"format": "pt"})
    with pytest.raises(WeightsError, match=named):
        load_network(ModelFolder(folder, manifest_of(folder)))


def test_config_of_another_size_is_refused_naming_the_first_keys_and_counting_the_rest(tmp_path):
    folder = save_model(tmp_path / "tiny")
    config = json.loads((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(json.dumps(config | {"fusion_hidden_size": 16}))
    with pytest.raises(WeightsError, match=r"expected .* by config\.json, found .* and \d+ more"):
        load_network(ModelFolder(folder, manifest_of(folder)))


def test_file_that_is_no_safetensors_is_refused(tmp_path):
    folder = save_model(tmp_path / "tiny")
    (folder / WEIGHTS).write_bytes(b"\x80\x04not safetensors at all")
    with pytest.raises(WeightsError, match="make no network"):
        load_network(ModelFolder(folder, manifest_of(folder)))


@pytest.mark.parametrize("change", [{"hidden_size": "many"}, {"model_type": "no-such-backbone"}])
def test_config_that_makes_no_network_is_refused(change, tmp_path):
    folder = save_model(tmp_path / "tiny")
    config = json.loads((folder / CONFIG).read_text())
    config["backbone_config"] |= change
    (folder / CONFIG).write_text(json.dumps(config))
    with pytest.raises(WeightsError, match="make no network"):
        load_network(ModelFolder(folder, manifest_of(folder)))


def test_one_changed_byte_is_found_before_anything_is_loaded(tmp_path):
    folder = saved(tmp_path / "tiny")
    content = bytearray((folder.path / WEIGHTS).read_bytes())
    content[-1] ^= 1
    (folder.path / WEIGHTS).write_bytes(content)
    with pytest.raises(WeightsError, match=r"expected model\.safetensors with sha256 [0-9a-f]{64}, found"):
        load_network(folder)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"model_type": "bert", "architectures": ["BertModel"]}, r"'bert' \(BertModel\)"),
        ({"model_type": "depth_pro", "architectures": ["DepthProForDepthEstimation"]}, "depth_pro"),
        ({"architectures": ["DPTForSemanticSegmentation"]}, "DPTForSemanticSegmentation"),
        ({"auto_map": {"AutoModel": "evil.Model"}}, "auto_map"),
        ({"backbone": "microsoft/resnet-50"}, "backbone to fetch"),
        ({"use_timm_backbone": True}, "use_timm_backbone"),
        ({"use_pretrained_backbone": True}, "use_pretrained_backbone"),
    ],
)
def test_config_that_is_no_depth_model_or_wants_more_than_its_folder_is_refused(change, named):
    config = {"model_type": "dpt", "architectures": ["DPTForDepthEstimation"]}
    check_config(config)
    with pytest.raises(WeightsError, match=named):
        check_config(config | change)


def test_weights_moved_to_a_device_in_inference_mode_serve_outside_it_too(tmp_path):
    with torch.inference_mode():
        network = load_network(saved(tmp_path / "tiny"), "meta").network
    assert {weight.device.type for weight in network.parameters()} == {"meta"}
    assert not any(weight.is_inference() for weight in network.parameters())


def test_loading_leaves_random_numbers_and_the_logging_of_transformers_alone(tmp_path):
    from transformers.utils import logging as their_logging

    folder = saved(tmp_path / "tiny")
    their_logging.set_verbosity_warning()
    before = torch.get_rng_state(), their_logging.get_verbosity(), their_logging.is_progress_bar_enabled()
    load_network(folder)
    after = torch.get_rng_state(), their_logging.get_verbosity(), their_logging.is_progress_bar_enabled()
    assert torch.equal(before[0], after[0])
    assert before[1:] == after[1:]


def their_pipeline_depth(folder: ModelFolder, kind: str, image: torch.Tensor) -> torch.Tensor:
    """Depth at the image's size (H, W), by the processor and the post-processing of `transformers`.

    image  (3, H, W)  float32, whole numbers 0..255
    """
    from transformers import AutoModelForDepthEstimation
    from transformers.models.dpt.image_processing_pil_dpt import DPTImageProcessorPil
    from transformers.models.zoedepth.image_processing_pil_zoedepth import ZoeDepthImageProcessorPil

    processor = (ZoeDepthImageProcessorPil if kind == "zoedepth" else DPTImageProcessorPil).from_pretrained(folder.path)
    network = AutoModelForDepthEstimation.from_pretrained(folder.path)
    inputs = processor(images=image.to(torch.uint8).numpy(), return_tensors="pt")
    with torch.no_grad():
        outputs = network(**inputs)
    size = (image.shape[-2], image.shape[-1])
    if isinstance(processor, DPTImageProcessorPil):
        return torch.as_tensor(processor.post_process_depth_estimation(outputs, [size])[0]["predicted_depth"])
    # their function for ZoeDepth needs torchvision; these are its lines with torch's own resize
    margins = [int((side / 2) ** 0.5 * 3) for side in size]
    padded = F.interpolate(
        outputs.predicted_depth[None], size=[side + 2 * m for side, m in zip(size, margins, strict=True)],
        mode="bicubic", align_corners=False,
    )  # fmt: skip
    return padded[0, 0, margins[0] : -margins[0], margins[1] : -margins[1]]
