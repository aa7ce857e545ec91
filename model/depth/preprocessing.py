"""What a depth network wants to see, read from its own preprocessor_config.json and done in torch.

    frames ─ to 0..1 ─ (pad) ─ resize to a multiple of the patch ─ mean, std ─> network ─> (crop the padding)

Two processors of `transformers` are retold, those of the DPT family (Depth Anything too) and of ZoeDepth; a test holds
each to the original. They work on floats here, so a 16 bit or float source keeps its precision.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from model.errors import WeightsError

_DPT = ("DPTImageProcessor", "DPTFeatureExtractor")
_ZOE = ("ZoeDepthImageProcessor",)
_FILTERS = {2: "bilinear", 3: "bicubic"}  # numbers of PIL, which the files use
_KNOWN_STEPS = {"do_resize", "do_rescale", "do_normalize", "do_pad", "do_convert_rgb", "do_reduce_labels"}
_HALF = (0.5, 0.5, 0.5)


@dataclass(frozen=True)
class Preprocessing:
    """One network's input.

    height_px, width_px  the size to aim at
    keep_aspect_ratio    scale both sides alike, by the one of the two factors that is nearer to 1
    multiple             both sides become multiples of it
    filter               "bilinear" or "bicubic"
    mean, std            of R, G, B, subtracted and divided by; frames are 0..1
    zoe                  pad by reflection first and resize corner to corner, as ZoeDepth does
    """

    height_px: int
    width_px: int
    keep_aspect_ratio: bool
    multiple: int
    filter: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    zoe: bool = False

    def apply(self, frames: Tensor) -> Tensor:
        """Turn frames into the network's input.

        frames   (T, 3, H, W)  float32, any range (see `display_referred`)
        returns  (T, 3, h, w)  float32, normalised; h and w by `input_size`
        """
        frames = display_referred(frames)
        size = self.input_size(*frames.shape[-2:])
        if self.zoe:
            resized = F.interpolate(_reflected(frames), size=size, mode=self.filter, align_corners=True)
        else:
            resized = _filtered(_filtered(frames, (frames.shape[-2], size[1]), self.filter), size, self.filter)
        mean, std = (frames.new_tensor(values).view(3, 1, 1) for values in (self.mean, self.std))
        return (resized - mean) / std

    def input_size(self, height_px: int, width_px: int) -> tuple[int, int]:
        """Size at which the network sees a frame of `height_px` x `width_px`: (h, w)."""
        if self.zoe:
            height_px, width_px = height_px + 2 * _margin(height_px), width_px + 2 * _margin(width_px)
        scale_y, scale_x = self.height_px / height_px, self.width_px / width_px
        if self.keep_aspect_ratio:
            scale_y = scale_x = min(scale_y, scale_x, key=lambda scale: abs(1 - scale))
        return self._rounded(scale_y * height_px), self._rounded(scale_x * width_px)

    def restore(self, depth: Tensor, height_px: int, width_px: int) -> Tensor:
        """Cut the padding off what the network gave for frames of `height_px` x `width_px`.

        depth    (T, 1, h, w)    float32
        returns  (T, 1, h', w')  float32, covering exactly the frame; `depth` itself when nothing was padded
        """
        if not self.zoe:
            return depth
        share_y = height_px / (height_px + 2 * _margin(height_px))
        share_x = width_px / (width_px + 2 * _margin(width_px))
        count, _, height, width = depth.shape
        centred = depth.new_tensor([[share_x, 0, 0], [0, share_y, 0]]).expand(count, 2, 3)
        size = (count, 1, max(1, round(height * share_y)), max(1, round(width * share_x)))
        grid = F.affine_grid(centred, list(size), align_corners=False)
        return F.grid_sample(depth, grid, mode="bilinear", padding_mode="border", align_corners=False)

    def _rounded(self, side_px: float) -> int:
        return max(self.multiple, round(side_px / self.multiple) * self.multiple)


def display_referred(frames: Tensor) -> Tensor:
    """Bring colours to the 0..1 that photographs have, for the network's eyes only.

    Colours within 0..1 stay as they are. Below 0 is 0. A colour with a channel above 1 is scaled down until its
    largest channel is 1, so that a bright light keeps its hue; how far above 1 it was is lost. No statistics of the
    frame enter, so the same colour always looks the same and nothing pumps.

    frames  (T, 3, H, W)  float32, any finite range
    """
    frames = frames.clamp(min=0)
    return frames / frames.amax(dim=1, keepdim=True).clamp(min=1)


def parse_preprocessing(fields: dict[str, Any]) -> Preprocessing:
    """Read the content of a preprocessor_config.json.

    Raises WeightsError for a processor, a step or a value that is not retold here.
    """
    kind = str(fields.get("image_processor_type") or fields.get("feature_extractor_type"))
    for suffix in ("Fast", "Pil"):
        kind = kind.removesuffix(suffix)
    if kind not in _DPT + _ZOE:
        raise WeightsError(
            f"preprocessor_config.json: expected the processor {' or '.join(_DPT + _ZOE)}; got {kind!r}, "
            "which this version cannot feed"
        )
    zoe = kind in _ZOE
    _check_steps(fields, zoe)
    try:
        return _parsed(fields, zoe)
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsError(
            f"preprocessor_config.json: a size, filter or colour value cannot be read: {error}"
        ) from error


def _check_steps(fields: dict[str, Any], zoe: bool) -> None:
    required = ["do_resize", "do_normalize", "do_rescale"] + (["do_pad"] if zoe else [])
    skipped = [step for step in required if not fields.get(step, True)]
    unknown = [step for step, on in fields.items() if step.startswith("do_") and on and step not in _KNOWN_STEPS]
    if not zoe and fields.get("do_pad"):
        unknown.append("do_pad")
    if skipped or unknown:
        raise WeightsError(
            "preprocessor_config.json: expected the steps resize, rescale, normalize"
            f"{' and pad' if zoe else ''}; off: {skipped}, not supported: {unknown}"
        )
    if abs(fields.get("rescale_factor", 1 / 255) - 1 / 255) > 1e-6:
        raise WeightsError(f"preprocessor_config.json: expected rescale_factor 1/255; got {fields['rescale_factor']}")


def _parsed(fields: dict[str, Any], zoe: bool) -> Preprocessing:
    size = fields.get("size", {"height": 384, "width": 512 if zoe else 384})
    height, width = (size, size) if isinstance(size, int) else (size["height"], size["width"])
    multiple = fields.get("ensure_multiple_of", 32 if zoe else 1)
    if not all(isinstance(side, int) and 1 <= side <= 4096 for side in (height, width, multiple)):
        raise ValueError(f"sides of 1..4096 px expected, got {height}x{width}, multiple of {multiple}")
    std = _rgb(fields.get("image_std", _HALF))
    if min(std) <= 0:
        raise ValueError(f"image_std above 0 expected, got {std}")
    return Preprocessing(
        height_px=height,
        width_px=width,
        keep_aspect_ratio=bool(fields.get("keep_aspect_ratio", zoe)),
        multiple=multiple,
        filter=_FILTERS[fields.get("resample", 2 if zoe else 3)],
        mean=_rgb(fields.get("image_mean", _HALF)),
        std=std,
        zoe=zoe,
    )


def _rgb(values: Any) -> tuple[float, float, float]:
    red, green, blue = (float(value) for value in values)
    if not all(math.isfinite(value) for value in (red, green, blue)):
        raise ValueError(f"finite colours expected, got {values}")
    return red, green, blue


def _filtered(frames: Tensor, size: tuple[int, int], filter: str) -> Tensor:
    """Resize one side with PIL's filter; as PIL does, clamp what bicubic overshoots before the other side's turn."""
    return F.interpolate(frames, size=size, mode=filter, align_corners=False, antialias=True).clamp(0, 1)


def _margin(side_px: int) -> int:
    """Pixels that ZoeDepth adds at either end of a side."""
    return int(math.sqrt(side_px / 2) * 3)


def _reflected(frames: Tensor) -> Tensor:
    """Pad by reflection; a side too short to be reflected that far repeats its end."""
    for dim, pad in ((-1, (1, 1, 0, 0)), (-2, (0, 0, 1, 1))):
        margin = _margin(frames.shape[dim])
        mode = "reflect" if margin < frames.shape[dim] else "replicate"
        frames = F.pad(frames, [margin * side for side in pad], mode=mode)
    return frames
