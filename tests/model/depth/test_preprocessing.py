"""What a network is fed: the same as by `transformers`, at the same size, in floats."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from model.depth.preprocessing import Preprocessing, display_referred, parse_preprocessing
from model.errors import WeightsError

PUBLISHED = {
    "_valid_processor_keys": ["images", "do_resize", "size", "keep_aspect_ratio", "ensure_multiple_of", "resample",
        "do_rescale", "rescale_factor", "do_normalize", "image_mean", "image_std", "do_pad", "size_divisor",
        "return_tensors", "data_format", "input_data_format"],
    "do_normalize": True, "do_pad": False, "do_rescale": True, "do_resize": True, "ensure_multiple_of": 14,
    "image_mean": [0.485, 0.456, 0.406], "image_processor_type": "DPTImageProcessor",
    "image_std": [0.229, 0.224, 0.225], "keep_aspect_ratio": True, "resample": 3,
    "rescale_factor": 0.00392156862745098, "size": {"height": 518, "width": 518}, "size_divisor": None,
}  # fmt: skip
"""preprocessor_config.json of Depth Anything V2 Small; test_models.py holds it to the published hash."""

DPT_LARGE = {
    "do_normalize": True, "do_resize": True, "feature_extractor_type": "DPTFeatureExtractor",
    "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "resample": 2, "size": 384,
}  # fmt: skip
ZOE = {
    "do_normalize": True, "do_pad": True, "do_rescale": True, "do_resize": True, "ensure_multiple_of": 32,
    "image_mean": [0.5, 0.5, 0.5], "image_processor_type": "ZoeDepthImageProcessor", "image_std": [0.5, 0.5, 0.5],
    "keep_aspect_ratio": True, "resample": 2, "rescale_factor": 0.00392156862745098,
    "size": {"height": 384, "width": 512},
}  # fmt: skip


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        ((1080, 1920), (518, 924)),  # 518 / 1080 is the factor nearer to 1; 1920 · 518 / 1080 = 920.9, 14 · 66
        ((1920, 1080), (924, 518)),
        ((518, 518), (518, 518)),
        ((1, 1), (518, 518)),
        ((1, 3), (168, 518)),  # 518 / 3 is nearer to 1 than 518; it makes the one row 172.7 high, 14 · 12
        ((16, 8192), (14, 518)),  # 1.01 rows round to none: at least one patch
    ],
)
def test_published_settings_fit_the_frame_into_whole_patches(frame, expected):
    assert parse_preprocessing(PUBLISHED).input_size(*frame) == expected


def test_without_aspect_ratio_every_frame_becomes_the_square_of_the_settings():
    assert parse_preprocessing(DPT_LARGE).input_size(720, 1280) == (384, 384)


@pytest.mark.parametrize("fields", [PUBLISHED, DPT_LARGE, ZOE], ids=["depth_anything", "dpt", "zoedepth"])
@pytest.mark.parametrize("frame", [(90, 160), (200, 120), (77, 301)])
def test_network_is_fed_what_transformers_feeds(fields, frame):
    pytest.importorskip("transformers")
    image = smooth_image(*frame)
    theirs = torch.as_tensor(np.stack(their_processor(fields)(images=image.numpy())["pixel_values"]))
    ours = parse_preprocessing(fields).apply(image[None].float() / 255)
    assert ours.shape == theirs.shape
    # PIL rounds to 8 bit twice: ½ level after the first pass, which the second amplifies by its Σ|weights| of at most
    # 1.25, and ½ level after the second. ZoeDepth's processor stays in floats, as ours does.
    levels = 0.01 if fields is ZOE else 1.25 * 0.5 + 0.5 + 0.01
    assert (ours - theirs).abs().max() <= levels / 255 / min(fields["image_std"])


def test_frame_of_the_networks_own_size_is_only_normalised():
    frame = torch.rand(1, 3, 28, 56)
    preprocessing = parse_preprocessing({**PUBLISHED, "size": {"height": 28, "width": 56}})
    expected = (frame - torch.tensor(PUBLISHED["image_mean"]).view(3, 1, 1)) / torch.tensor(
        PUBLISHED["image_std"]
    ).view(3, 1, 1)
    assert torch.allclose(preprocessing.apply(frame), expected, atol=1e-5)


def test_colours_of_a_photograph_stay_as_they_are():
    frames = torch.rand(2, 3, 4, 5)
    assert torch.equal(display_referred(frames), frames)


def test_bright_light_keeps_its_hue_and_negative_is_black():
    frames = torch.tensor([8.0, 4.0, -1.0]).view(1, 3, 1, 1)
    assert display_referred(frames).flatten().tolist() == [1.0, 0.5, 0.0]


@pytest.mark.parametrize(("height", "width"), [(120, 200), (64, 48), (3, 4)])
def test_cutting_the_padding_off_leaves_exactly_the_frame(height, width):
    """A ramp over the padded frame, 0 at the frame's left edge and 1 at its right edge, must span 0..1 when cut."""
    preprocessing = parse_preprocessing(ZOE)
    margin_y, margin_x = int((height / 2) ** 0.5 * 3), int((width / 2) ** 0.5 * 3)
    down = (torch.arange(256) + 0.5) / 256 * (height + 2 * margin_y) - margin_y
    across = (torch.arange(512) + 0.5) / 512 * (width + 2 * margin_x) - margin_x
    ramp = torch.stack(torch.meshgrid(down / height, across / width, indexing="ij"))[:, None]
    cut = preprocessing.restore(ramp, height, width)
    rows, columns = cut.shape[-2:]
    assert torch.allclose(cut[0, 0, :, 0], (torch.arange(rows) + 0.5) / rows, atol=1e-4)
    assert torch.allclose(cut[1, 0, 0], (torch.arange(columns) + 0.5) / columns, atol=1e-4)


def test_depth_that_was_not_padded_is_returned_itself():
    depth = torch.rand(1, 1, 4, 5)
    assert parse_preprocessing(PUBLISHED).restore(depth, 90, 160) is depth


@pytest.mark.parametrize("frame", [(1, 1), (1, 3), (2, 9)])
def test_tiny_frames_are_padded_too(frame):
    assert torch.isfinite(parse_preprocessing(ZOE).apply(torch.rand(1, 3, *frame))).all()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"image_processor_type": "GLPNImageProcessor"}, "GLPNImageProcessor"),
        ({"image_processor_type": None}, "processor"),
        ({"do_pad": True}, "do_pad"),
        ({"do_center_crop": True}, "do_center_crop"),
        ({"do_resize": False}, "do_resize"),
        ({"do_normalize": False}, "do_normalize"),
        ({"rescale_factor": 1 / 127.5}, "rescale_factor"),
        ({"resample": 1}, "1"),
        ({"size": {"shortest_edge": 518}}, "height"),
        ({"size": 0}, "0x0"),
        ({"ensure_multiple_of": 1 / 32}, "multiple"),
        ({"image_mean": [0.5, 0.5]}, "2"),
        ({"image_std": [0.5, 0.5, float("nan")]}, "nan"),
    ],
)
def test_settings_that_cannot_be_followed_are_refused_by_name(change, named):
    with pytest.raises(WeightsError, match=named):
        parse_preprocessing({**PUBLISHED, **change})


@pytest.mark.parametrize("suffix", ["", "Fast", "Pil"])
def test_every_spelling_of_the_processor_is_the_same(suffix):
    fields = {**PUBLISHED, "image_processor_type": f"DPTImageProcessor{suffix}"}
    assert parse_preprocessing(fields) == parse_preprocessing(PUBLISHED)
    assert parse_preprocessing(fields).filter == "bicubic"


def test_standard_deviation_of_zero_is_refused():
    with pytest.raises(WeightsError, match="0"):
        parse_preprocessing({**PUBLISHED, "image_std": [0.2, 0.0, 0.2]})


def smooth_image(height: int, width: int) -> torch.Tensor:
    """(3, height, width) uint8: random blobs with hard edges here and there."""
    coarse = torch.rand(1, 3, 6, 8)
    image = F.interpolate(coarse, size=(height, width), mode="bicubic", align_corners=False)[0].clamp(0, 1)
    image[:, height // 3 : height // 2, width // 4 : width // 2] = 1
    return (image * 255).round().to(torch.uint8)


def their_processor(fields: dict):
    """The processor of `transformers` that these settings name, in its variant without torchvision."""
    from transformers.models.dpt.image_processing_pil_dpt import DPTImageProcessorPil
    from transformers.models.zoedepth.image_processing_pil_zoedepth import ZoeDepthImageProcessorPil

    ignored = ("image_processor_type", "feature_extractor_type", "_valid_processor_keys")
    arguments = {key: value for key, value in json.loads(json.dumps(fields)).items() if key not in ignored}
    if isinstance(arguments["size"], int):
        arguments["size"] = {"height": arguments["size"], "width": arguments["size"]}
    return (ZoeDepthImageProcessorPil if fields is ZOE else DPTImageProcessorPil)(**arguments)


def test_smooth_image_is_no_constant():
    assert smooth_image(20, 30).float().std() > 10
    assert isinstance(parse_preprocessing(ZOE), Preprocessing)
