"""The network that finds people: MediaPipe's selfie segmentation, retold in torch; 110,000 weights.

    picture ─ stem ½ ─ block ¼ ─ blocks ⅛ ─ blocks 1/16 ─ head
                 │         │          │                     │
                 └────── merge ─── merge ─── merge <────────┘ ─ enlarge ─> share of a person in each pixel

Layers lie in the order in which the original runs them, which is how people_weights.py carries its weights over.
MobileNetV3 (arXiv 1905.02244) with a lite reduced ASPP head.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

STRIDE = 16
"""Height and width of a picture are multiples of this."""


class PeopleNetwork(nn.Module):
    """Find people in pictures.

    picture  (B, 3, H, W)  float32, 0..1, display-referred; H, W multiples of 16; made for 144 x 256
    returns  (B, 1, H, W)  float32, 0 nobody .. 1 a person
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = _Convolution(3, 16, 3, stride=2)
        self.quarter = _Block((16, 16, 16), squeeze=8, stride=2)
        self.eighth = nn.Sequential(_Block((16, 72, 24), stride=2), _Block((24, 88, 24)))
        self.sixteenth = nn.Sequential(
            _Block((24, 96, 32), kernel=5, squeeze=24, stride=2, activation=F.hardswish),
            _Block((32, 128, 32), kernel=5, squeeze=32, activation=F.hardswish),
            _Block((32, 128, 32), kernel=5, squeeze=32, activation=F.hardswish),
            _Block((32, 96, 32), kernel=5, squeeze=24, activation=F.hardswish),
            _Block((32, 96, 32), kernel=5, squeeze=24, activation=F.hardswish),
        )
        self.head = _Convolution(32, 128, 1)
        self.head_gate = _Convolution(32, 128, 1)
        self.merges = nn.ModuleList([_Merge(128, 24), _Merge(24, 16), _Merge(16, 16)])
        self.enlarge = nn.ConvTranspose2d(16, 1, 2, stride=2)

    def forward(self, picture: Tensor) -> Tensor:
        """Find people; see the class."""
        half = F.hardswish(self.stem(picture))
        quarter = self.quarter(half)
        eighth = self.eighth(quarter)
        deep = self.sixteenth(eighth)
        merged = F.relu(self.head(deep)) * torch.sigmoid(self.head_gate(_mean(deep)))
        for merge, finer in zip(self.merges, (eighth, quarter, half), strict=True):
            merged = merge(merged, finer)
        return torch.sigmoid(self.enlarge(merged))


class _Convolution(nn.Conv2d):
    """A convolution that pads as TensorFlow does: what is odd goes to the right and the bottom."""

    def __init__(self, channels: int, out: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__(channels, out, kernel, stride, groups=groups)

    def forward(self, input: Tensor) -> Tensor:
        pad = self.kernel_size[0] - self.stride[0]
        return super().forward(F.pad(input, (pad // 2, pad - pad // 2) * 2))


class _Gate(nn.Module):
    """How much of each channel passes, told from its mean over the picture."""

    def __init__(self, channels: int, squeeze: int) -> None:
        super().__init__()
        self.squeeze, self.excite = _Convolution(channels, squeeze, 1), _Convolution(squeeze, channels, 1)

    def forward(self, features: Tensor) -> Tensor:
        return torch.sigmoid(self.excite(F.relu(self.squeeze(_mean(features)))))


class _Block(nn.Module):
    """An inverted residual: widen, look around in each channel, weigh the channels, narrow."""

    def __init__(
        self,
        sizes: tuple[int, int, int],
        *,
        kernel: int = 3,
        squeeze: int = 0,
        stride: int = 1,
        activation: Callable[[Tensor], Tensor] = F.relu,
    ) -> None:
        super().__init__()
        channels, wide, out = sizes
        self.expand = _Convolution(channels, wide, 1)
        self.around = _Convolution(wide, wide, kernel, stride, groups=wide)
        self.gate = _Gate(wide, squeeze) if squeeze else None
        self.project = _Convolution(wide, out, 1)
        self._activation, self._residual = activation, stride == 1

    def forward(self, features: Tensor) -> Tensor:
        wide = self._activation(self.around(self._activation(self.expand(features))))
        if self.gate is not None:
            wide = wide * self.gate(wide)
        narrow = self.project(wide)
        return features + narrow if self._residual else narrow


class _Merge(nn.Module):
    """Bring coarse features to twice their size and join them with finer ones."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.reduce = _Convolution(channels, out, 1)
        self.gate = _Gate(out, out)
        self.join = _Convolution(out, out, 1)
        self.around = _Convolution(out, out, 3, groups=out)

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        enlarged = self.reduce(F.interpolate(coarse, scale_factor=2, mode="bilinear", align_corners=False))
        joined = F.relu(self.join(fine * self.gate(fine + enlarged) + enlarged))
        return joined + F.relu(self.around(joined))


def _mean(features: Tensor) -> Tensor:
    return features.mean(dim=(2, 3), keepdim=True)
