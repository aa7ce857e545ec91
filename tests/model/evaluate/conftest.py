"""A tiny network, a flat window with a hidden strip, and a folder of made-up media."""

import cv2
import numpy as np
import pytest
import torch

from model.evaluate.windows import Window
from model.sasi.config import SasiConfig, Scope
from model.sasi.lite import LiteInpainter
from model.sasi.transformer import SasiTransformer
from model.sasi.weights import LoadedWeights, save_weights

TINY = SasiConfig(width=24, heads=1, rope=(8, 8, 8), scopes=(Scope((1, 8, 8)),))


@pytest.fixture
def network() -> SasiTransformer:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return SasiTransformer(TINY).eval().requires_grad_(False)


@pytest.fixture
def inpainter(network) -> LiteInpainter:
    return LiteInpainter(LoadedWeights(network, "tiny", "0", {}))


@pytest.fixture
def weights(network, tmp_path):
    path = tmp_path / "tiny.safetensors"
    save_weights(network, path, {"license": "CC0-1.0"})
    return path


@pytest.fixture
def window() -> Window:
    """Flat grey of which a strip is hidden, with white in the hole that no fill may look at."""
    truth = torch.full((2, 3, 64, 96), 0.5)
    hole = torch.zeros(2, 1, 64, 96, dtype=torch.bool)
    hole[..., 20:40, 30:40] = True
    view = torch.where(hole, 1.0, truth)
    return Window("grey", view, truth, hole, torch.zeros_like(hole), torch.zeros(2, 1, 64, 96), truth)


@pytest.fixture
def folder(tmp_path):
    """Two photos of smooth colours."""
    rng = np.random.default_rng(0)
    media = tmp_path / "media"
    media.mkdir()
    for name in ("near.png", "far.png"):
        picture = cv2.resize(rng.integers(0, 256, (9, 20, 3), dtype=np.uint8), (400, 180))
        cv2.imwrite(str(media / name), picture)
    return media
