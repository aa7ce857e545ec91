"""Every kernel gives what the reference defines, on random and on adversarial rows."""

import importlib
import sys
import types

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from model.warp import kernels, prepare, reference
from model.warp.kernels import kernel_name

KERNELS = ["torch", *(["native"] if kernel_name("cpu") == "native" else [])]
needs_native = pytest.mark.skipif("native" not in KERNELS, reason="the native kernel is not built")
# All kernels compute in float32 in the same order; only the blends may differ in their last bits.
TOLERANCE = 1e-5


def warp_with(kernel, image, disparity, threshold):
    module = importlib.import_module(f"model.warp.{kernel}_form")
    return [
        result.numpy() for result in module.warp_frames(torch.from_numpy(image), torch.from_numpy(disparity), threshold)
    ]


def assert_agree(kernel, image, disparity, threshold=1.5):
    expected = reference.warp_frames(image, disparity, threshold)
    found = warp_with(kernel, image, disparity, threshold)
    np.testing.assert_allclose(found[0], expected[0], atol=TOLERANCE, rtol=TOLERANCE)
    np.testing.assert_array_equal(found[1], expected[1])
    np.testing.assert_allclose(found[2], expected[2], atol=TOLERANCE, rtol=TOLERANCE)


@st.composite
def rows(draw):
    """Few frames of short rows whose disparities are steps, slopes, thin bars or noise, on a grid of quarters."""
    shape = draw(st.tuples(*(st.integers(1, n) for n in (2, 8, 3, 24))))
    reach = draw(st.sampled_from([1, 8, 40, 4000]))
    quarters = st.integers(-reach, reach).map(lambda n: np.float32(n / 4))
    levels = draw(st.lists(quarters, min_size=1, max_size=6))
    disparity = draw(hnp.arrays(np.float32, (shape[0], 1, *shape[2:]), elements=st.sampled_from(levels)))
    if draw(st.booleans()):
        slope = draw(st.sampled_from([-0.9, -0.5, -0.1, 0.3, 0.5, 1.0]))
        disparity = disparity + np.float32(slope) * np.arange(shape[3], dtype=np.float32)
    generator = np.random.default_rng(draw(st.integers(0, 99)))
    image = generator.uniform(-1, 3, shape).astype(np.float32)
    return image, disparity, draw(st.sampled_from([1.05, 1.5, 2.0, 4.0]))


@pytest.mark.parametrize("kernel", KERNELS)
@given(case=rows())
@settings(max_examples=120, deadline=None)
def test_kernels_agree_on_steps_slopes_and_bars(kernel, case):
    assert_agree(kernel, *case)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("spread", [0.2, 3.0, 60.0])
def test_kernels_agree_on_noise(kernel, spread):
    generator = np.random.default_rng(7)
    image = generator.uniform(0, 1, (2, 3, 4, 90)).astype(np.float32)
    assert_agree(kernel, image, generator.normal(0, spread, (2, 1, 4, 90)).astype(np.float32))


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("shift", [-300.0, -12.25, 0.0, 0.5, 11.75, 300.0, 3e38])
def test_kernels_agree_on_constant_shifts_and_beyond_the_frame(kernel, shift):
    image = np.random.default_rng(1).uniform(0, 1, (1, 1, 2, 30)).astype(np.float32)
    assert_agree(kernel, image, np.full((1, 1, 2, 30), shift, np.float32))


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("shift", [41.5, 131.0])
@pytest.mark.parametrize("sign", [-1, 1])
def test_kernels_agree_on_holes_of_any_width_and_side(kernel, shift, sign):
    # A near square before a slanted background leaves a hole that mirrors it, up to its far end and beyond.
    generator = np.random.default_rng(8)
    image = generator.uniform(0, 1, (1, 4, 2, 260)).astype(np.float32)
    disparity = np.linspace(0, 2.5, 260, dtype=np.float32) - np.float32(40 if sign < 0 else 0)
    disparity[90:150] += np.float32(shift)
    assert_agree(kernel, image, np.stack([disparity, sign * disparity])[None, None])


@pytest.mark.parametrize("kernel", KERNELS)
def test_kernels_agree_on_colours_too_large_to_square(kernel):
    generator = np.random.default_rng(2)
    image = (generator.uniform(-1, 1, (1, 3, 3, 40)) * 1e25).astype(np.float32)
    disparity = generator.integers(0, 9, (1, 1, 3, 40)).astype(np.float32)
    expected = reference.warp_frames(image, disparity, 1.5)
    found = warp_with(kernel, image, disparity, 1.5)
    assert np.isfinite(found[0]).all()
    np.testing.assert_array_equal(found[1], expected[1])


@needs_native
def test_any_number_of_threads_gives_equal_bits():
    generator = np.random.default_rng(3)
    image = generator.uniform(0, 1, (2, 3, 60, 80)).astype(np.float32)
    disparity = generator.normal(0, 4, (2, 1, 60, 80)).astype(np.float32)
    threads = torch.get_num_threads()
    try:
        results = []
        for count in (1, 2, 5):
            torch.set_num_threads(count)
            results.append(warp_with("native", image, disparity, 1.5))
    finally:
        torch.set_num_threads(threads)
    for other in results[1:]:
        for first, second in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("kernel", KERNELS)
def test_half_precision_is_read_as_the_same_values_in_float(kernel):
    generator = np.random.default_rng(4)
    bits = generator.integers(0, 1 << 16, (2, 3, 5, 70), dtype=np.uint16)
    image = np.where((bits & 0x7C00) == 0x7C00, 0, bits).astype(np.uint16).view(np.float16)
    disparity = generator.normal(0, 4, (2, 1, 5, 70)).astype(np.float32)
    halves = warp_with(kernel, image, disparity, 1.5)
    for half, single in zip(halves, warp_with(kernel, image.astype(np.float32), disparity, 1.5), strict=True):
        np.testing.assert_array_equal(half, single)


@needs_native
@pytest.mark.parametrize("edge_fix_px", [0.5, 2.0, 4.0, 7.0])
@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (1, 1, 3, 40), (2, 1, 40, 5), (1, 1, 70, 50)])
def test_native_snapping_gives_the_bits_of_its_definition(edge_fix_px, shape):
    generator = np.random.default_rng(6)
    native = importlib.import_module("model.warp.native_form").snap_edges
    hard = generator.choice([0, 3, 9], shape).astype(np.float32)
    soft = np.stack([cv2.GaussianBlur(frame[0].repeat(8, 0)[: shape[2]], (0, 0), 1.0)[None] for frame in hard])
    wandering = np.cumsum(generator.normal(0, 0.5, shape), -1, dtype=np.float32)
    for disparity in map(torch.from_numpy, (hard, soft.reshape(shape), wandering)):
        assert torch.equal(native(disparity, edge_fix_px), prepare.snap_edges(disparity, edge_fix_px))


@needs_native
def test_memory_is_lent_again_only_when_a_view_is_gone():
    native = importlib.import_module("model.warp.native_form").warp_frames
    image, disparity = torch.rand(1, 3, 64, 80), torch.zeros(1, 1, 64, 80)
    kept = native(image, disparity, 1.5)[0]
    place = kept.data_ptr()
    part = kept[:, :1, :2]
    del kept
    other = native(1 - image, disparity, 1.5)[0]
    assert torch.equal(part, image[:, :1, :2]), "a part of a view keeps all of its memory"
    del part
    assert native(1 - image, disparity, 1.5)[0].data_ptr() == place
    assert torch.equal(other, 1 - image)


def test_a_gpu_without_triton_uses_the_torch_form(monkeypatch):
    monkeypatch.setitem(sys.modules, "model.warp.triton_form", None)
    kernels._triton_agrees.cache_clear()
    assert kernel_name("cuda") == "torch"


@pytest.mark.parametrize(("agrees", "name"), [(True, "triton"), (False, "torch")])
def test_a_gpu_uses_triton_where_its_pixels_are_those_of_torch(monkeypatch, agrees, name):
    form = types.SimpleNamespace(agrees_with_torch=lambda device: agrees)
    monkeypatch.setitem(sys.modules, "model.warp.triton_form", form)
    kernels._triton_agrees.cache_clear()
    assert kernel_name("cuda") == name
    kernels._triton_agrees.cache_clear()
