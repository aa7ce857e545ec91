"""People in pictures: who stands there is nearer than what is behind, moving or not."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file

from model.depth.people_network import STRIDE, PeopleNetwork
from model.errors import WeightsError

WEIGHTS = Path(__file__).parent / "weights" / "people.safetensors"

_COARSE_PX = 256  # width that the network was trained at
_FINE_PX = 480  # sharper outlines, but beds and tables now and then
_REACH = 0.03  # of the width: how far from what the coarse one finds the fine one may be believed


def find_people(pictures: np.ndarray) -> np.ndarray:
    """Find people in each picture on its own.

    pictures  (T, h, w, 3)  float32, 0..1, display-referred
    returns   (T, h, w)     float32, 0 nobody .. 1 a person

    Raises WeightsError when the weights of the installation are damaged.
    """
    width = pictures.shape[2]
    batch = torch.from_numpy(np.ascontiguousarray(np.moveaxis(pictures, -1, 1)))
    coarse = _found(batch, min(_COARSE_PX, width))
    if width <= _COARSE_PX:
        return coarse
    reach = np.ones((max(1, round(_REACH * width)),) * 2, np.uint8)
    near = np.stack([cv2.dilate(mask, reach) for mask in coarse])
    return np.minimum(near, _found(batch, min(_FINE_PX, width)))


def _found(batch: torch.Tensor, width: int) -> np.ndarray:
    """Run the network on pictures (T, 3, h, w) made about `width` px wide: (T, h, w)."""
    size = [max(1, round(side * width / batch.shape[3] / STRIDE)) * STRIDE for side in batch.shape[2:]]
    with torch.inference_mode():
        # one at a time: half the time of a batch on a processor, and no memory to speak of
        masks = [_network()(F.interpolate(picture[None], size, mode="area")) for picture in batch]
        return F.interpolate(torch.cat(masks), batch.shape[2:], mode="bilinear")[:, 0].numpy()


@cache
def _network() -> PeopleNetwork:
    network = PeopleNetwork()
    try:
        network.load_state_dict({name: value.float() for name, value in load_file(WEIGHTS).items()})
    except (OSError, SafetensorError, RuntimeError) as error:
        raise WeightsError(f"{WEIGHTS.name} is missing or damaged ({error}); install Stereo Convert again") from error
    return network.eval().requires_grad_(False)
