"""The Triton kernels, run by Triton's interpreter on the CPU, give what the reference defines, and compile for GPUs."""

# Triton is an extra, not there on every machine.
# pyright: reportMissingImports=false

import importlib
import json
import os
import subprocess
import sys

import pytest

pytest.importorskip("triton", reason="Triton is not installed: pip install stereo-convert[cuda]")

# Triton looks at TRITON_INTERPRET when it is imported, so the kernels run in a process of their own.
AGREEMENT = """
import json
import numpy as np
import torch
from model.warp import reference, triton_form

generator = np.random.default_rng(5)
def case(shape, disparity, kind=np.float32):
    image = generator.uniform(-1, 3, shape).astype(kind)
    disparity = np.broadcast_to(disparity, (shape[0], 1, *shape[2:])).astype(np.float32)
    found = triton_form.warp_frames(torch.from_numpy(image), torch.from_numpy(disparity.copy()), 1.5)
    expected = reference.warp_frames(image.astype(np.float32), disparity, 1.5)
    return [float(np.abs(a.numpy().astype(float) - b).max()) for a, b in zip(found, expected)]

print(json.dumps({
    "noise": case((1, 2, 3, 40), generator.normal(0, 3, (1, 1, 3, 40))),
    "layers": case((1, 1, 2, 33), generator.choice([-2.5, 0.25, 6], 11).repeat(3)),
    "slope": case((1, 1, 1, 40), np.linspace(-30, 9, 40), np.float16),
    "gone": case((2, 1, 1, 17), np.array([300.5, -3e38]).reshape(2, 1, 1, 1)),
}))
"""


@pytest.fixture(scope="module")
def differences() -> dict[str, list[float]]:
    environment = {**os.environ, "TRITON_INTERPRET": "1", "PYTHONWARNINGS": "default"}
    run = subprocess.run([sys.executable, "-c", AGREEMENT], env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


@pytest.mark.parametrize("case", ["noise", "layers", "slope", "gone"])
def test_the_interpreted_kernels_agree_with_the_reference(case, differences):
    view, disocclusion, disparity = differences[case]
    assert view < 1e-5
    assert disocclusion == 0
    assert disparity < 1e-5


POINTERS = {"image": "*fp32", "kind": "*i32", "disocclusion": "*i1"}
POINTERS |= dict.fromkeys(["first", "last", "front", "nearest", "owner", "second"], "*i32")
NUMBERS = {"height": "i32", "width": "i32", "channels": "i32", "threshold": "fp32", "columns": "i32"}


@pytest.mark.parametrize(
    ("kernel", "constants"),
    [
        ("triton_kernels.measure_row", {}),
        ("triton_kernels.fit_row", {}),
        ("triton_kernels.unmix_row", {}),
        ("triton_kernels.scatter_row", {"margin": 0.5, "behind_front": True}),
        ("triton_shade.shade_row", {}),
    ],
)
def test_the_kernels_compile_for_a_gpu_without_fused_multiply_add(kernel, constants, tmp_path, monkeypatch):
    # Compiling needs no GPU. A fused product and sum would place edges otherwise than the reference does.
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    module, name = kernel.split(".")
    function = getattr(importlib.import_module(f"model.warp.{module}"), name)
    constants = {"block": 128, **constants}
    kinds = {name: NUMBERS.get(name) or POINTERS.get(name, "*fp32") for name in function.arg_names}
    source = ASTSource(
        fn=function,
        signature=kinds | dict.fromkeys(constants, "constexpr"),
        constexprs={(function.arg_names.index(name),): value for name, value in constants.items()},
    )
    options = {"num_warps": 4, "enable_fp_fusion": False}
    compiled = triton.compile(source, target=GPUTarget("cuda", 90, 32), options=options)
    assert "fma.rn.f32" not in compiled.asm["ptx"]
