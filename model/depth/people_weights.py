"""Carry the people network's weights over from MediaPipe's wheel: how model/depth/weights/people.safetensors was made.

pip install tflite
python -m model.depth.people_weights mediapipe-0.10.14-*.whl model/depth/weights/people.safetensors
"""

from __future__ import annotations

import hashlib
import importlib
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import nn

from model.depth.people_network import PeopleNetwork
from model.errors import WeightsError

MEMBER = "mediapipe/modules/selfie_segmentation/selfie_segmentation_landscape.tflite"
SHA256 = "a77d03f4659b9f6b6c1f5106947bf40e99d7655094b6527f214ea7d451106edd"
_LAST = "Convolution2DTransposeBias"  # MediaPipe's own operation, unknown to other runtimes
# TFLite's order of axes -> torch's (out, in, height, width)
_AXES = {"CONV_2D": (0, 3, 1, 2), "DEPTHWISE_CONV_2D": (3, 0, 1, 2), _LAST: (3, 0, 1, 2)}


def main(wheel: Path, output: Path) -> None:
    """Write the weights; raises WeightsError when the wheel holds another network."""
    model = zipfile.ZipFile(wheel).read(MEMBER)
    if (found := hashlib.sha256(model).hexdigest()) != SHA256:
        raise WeightsError(f"expected {MEMBER} with sha256 {SHA256}; got {found}: use the wheel of mediapipe 0.10.14")
    network = PeopleNetwork()
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)]
    for layer, (weight, bias) in zip(layers, _convolutions(model), strict=True):
        layer.weight.data.copy_(torch.from_numpy(weight))
        layer.bias.data.copy_(torch.from_numpy(bias))  # pyright: ignore[reportOptionalMemberAccess]
    tensors = {name: value.half().contiguous() for name, value in network.state_dict().items()}
    save_file(tensors, output, {"license": "Apache-2.0", "origin": f"mediapipe 0.10.14, {MEMBER}", "sha256": SHA256})


def _convolutions(model: bytes) -> Iterator[tuple[NDArray, NDArray]]:
    """Weight and bias of each convolution in the order in which they run, as torch lays them out."""
    tflite = importlib.import_module("tflite")
    codes = {number: name for name, number in vars(tflite.BuiltinOperator).items() if isinstance(number, int)}
    root = tflite.Model.GetRootAsModel(model, 0)
    graph = root.Subgraphs(0)
    constants = {}
    for number in range(graph.OperatorsLength()):
        operator = graph.Operators(number)
        code = root.OperatorCodes(operator.OpcodeIndex())
        kind = (code.CustomCode() or b"").decode() or codes[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]
        inputs = operator.InputsAsNumpy().tolist()
        if kind == "DEQUANTIZE":  # stored as float16
            tensor = graph.Tensors(inputs[0])
            stored = root.Buffers(tensor.Buffer()).DataAsNumpy().view(np.float16)
            constants[operator.Outputs(0)] = stored.reshape(tensor.ShapeAsNumpy()).astype(np.float32)
        elif kind in _AXES:
            yield np.ascontiguousarray(constants[inputs[1]].transpose(_AXES[kind])), constants[inputs[2]]


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
