import numpy as np
import pytest
import torch

from model.data.layered_scenes import Scene
from model.sasi.config import SasiConfig, Scope
from model.sasi.inpainter import Inpainter
from model.sasi.transformer import SasiTransformer
from model.sasi.weights import LoadedWeights
from model.train.evaluate import all_fills, sparse_against_dense, table


@pytest.fixture
def inpainter() -> Inpainter:
    torch.manual_seed(0)
    config = SasiConfig(width=24, heads=1, rope=(8, 8, 8), scopes=(Scope((1, 8, 8)),))
    network = SasiTransformer(config).eval().requires_grad_(False)
    return Inpainter(LoadedWeights(network, "tiny", "0", {}))


@pytest.fixture
def scene() -> Scene:
    """Flat grey of which a strip is hidden, with white in the hole that no fill may look at."""
    truth = np.full((2, 64, 96, 3), 0.5, np.float32)
    hole = np.zeros((2, 64, 96), bool)
    hole[:, 20:40, 30:40] = True
    view = np.where(hole[..., None], np.float32(1), truth)
    return Scene(view, truth, hole, np.zeros_like(hole), np.zeros((2, 64, 96), np.float32))


def test_every_yardstick_fills_a_flat_background_and_leaves_the_rest(inpainter, scene):
    from model.data.dataset import make_batch

    batch, hole = make_batch([scene]), torch.from_numpy(scene.hole)[:, None].expand(-1, 3, -1, -1)
    for name, fill in all_fills(inpainter, 1).items():
        image = fill(scene, batch)
        assert torch.equal(image[~hole], batch.truth[~hole]), name
        limit = inpainter._network.config.residual if "SASI" in name else 0.01
        assert (image[hole] - 0.5).abs().max() <= limit + 1e-5, name


def test_the_table_has_a_row_for_every_fill(inpainter, scene):
    text = table([scene], all_fills(inpainter, 1), None)
    for name in ("row fill", "push-pull", "Telea", "Navier-Stokes", "SASI tiny, 1 step"):
        assert f"| {name}" in text


def test_dense_keeps_every_token_and_sparse_does_not(inpainter, scene):
    lines = sparse_against_dense(inpainter, scene).splitlines()
    assert "100.0%" in lines[-1]
    assert "100.0%" not in lines[0]
