"""A real limit of memory, in a process of its own: the fill says what to do and the process lives on."""

import subprocess
import sys

import pytest

from model.sasi.weights import save_weights

CHILD = """
import resource, sys, torch
from model.errors import DeviceMemoryError
from model.sasi.inpainter import load_inpainter

torch.set_num_threads(1)
inpainter = load_inpainter(sys.argv[1])

def window(frames, height, width):
    view, hole = torch.rand(frames, 3, height, width), torch.zeros(frames, 1, height, width, dtype=torch.bool)
    hole[..., width // 3 : width // 3 + 8] = True
    return view, hole, torch.zeros(frames, 1, height, width)

small, large = window(1, 64, 96), window(6, 512, 768)
inpainter.fill(*small)
pages = int(open("/proc/self/statm").read().split()[0])
limit = pages * resource.getpagesize() + 96 * 2**20
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
try:
    inpainter.fill(*large)
except DeviceMemoryError as error:
    print("refused:", error)
print("alive:", tuple(inpainter.fill(*small).view.shape))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits its own address space")
def test_a_window_beyond_the_memory_limit_is_refused_with_a_way_out_and_the_next_one_is_filled(tiny_network, tmp_path):
    path = tmp_path / "tiny.safetensors"
    save_weights(tiny_network, path, {})
    run = subprocess.run([sys.executable, "-c", CHILD, str(path)], capture_output=True, text=True, timeout=120)
    refused, alive = run.stdout.splitlines()
    assert "no memory left to fill 6 frames of 768x512" in refused, run.stderr
    assert "shorter window or a smaller max_width" in refused
    assert alive == "alive: (1, 3, 64, 96)"
