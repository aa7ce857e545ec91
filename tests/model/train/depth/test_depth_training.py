import cv2
import numpy as np
import pytest
import torch

from model.data.media import Library
from model.train.depth import __main__ as command
from model.train.depth.network import HEIGHT, WIDTH, NearnessNetwork, order_loss
from model.train.depth.samples import clip_samples, layered_sample


def noise(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def test_the_network_keeps_the_size_and_is_as_small_as_it_says():
    network = NearnessNetwork()
    assert network(torch.zeros(2, 3, 16, 24)).shape == (2, 1, 16, 24)
    assert sum(parameter.numel() for parameter in network.parameters()) == 429_241


def test_the_right_order_costs_less_than_none_and_none_less_than_the_wrong_one():
    nearness = torch.linspace(0, 1, 64).expand(1, 32, 64)
    right, none, wrong = (
        float(order_loss(scale * nearness[:, None], nearness, np.random.default_rng(0))) for scale in (9, 0, -9)
    )
    assert right < none < wrong
    assert none == pytest.approx(np.log(2))


def test_equal_depth_is_not_compared():
    assert float(order_loss(torch.rand(1, 1, 32, 64), torch.zeros(1, 32, 64), np.random.default_rng(0))) == 0


def test_a_layered_sample_orders_its_objects():
    library = Library([cv2.resize(noise(20, 30, 3), (300, 200)).astype(np.uint8)], [], ("photo",))
    rng = np.random.default_rng(3)
    samples = [layered_sample(rng, library) for _ in range(8)]
    assert all(sample.picture.shape == (HEIGHT, WIDTH, 3) for sample in samples)
    levels = {round(float(level), 3) for sample in samples for level in np.unique(sample.nearness)}
    assert levels >= {0, 0.2, 0.4} and levels <= {0, 0.2, 0.4, 0.6, 0.8}


def test_clips_are_learned_with_the_depth_of_their_windows():
    clip = list(noise(9, 48, 64, 3))
    samples = clip_samples(Library([], [clip], ("clip",)))
    assert len(samples) == 4
    assert samples[0].picture.shape == (HEIGHT, WIDTH, 3)
    assert 0 <= samples[0].nearness.min() < samples[0].nearness.max() <= 1


@pytest.mark.parametrize("content", [None, b"not weights"])
def test_weights_that_cannot_be_read_are_told(tmp_path, monkeypatch, capsys, content):
    weights = tmp_path / "near.safetensors"
    if content is not None:
        weights.write_bytes(content)
    monkeypatch.setattr("sys.argv", ["model.train.depth", "evaluate", str(weights), "examples"])
    assert command.main() == 2
    assert "near.safetensors is damaged" in capsys.readouterr().err
