import torch

from model.evaluate.fills import gapw_stretch, sasi, yardsticks


def test_every_fill_of_a_flat_background_is_the_background_and_leaves_the_rest(window, inpainter):
    hole = window.hole.expand(-1, 3, -1, -1)
    fills = {**yardsticks(), "stretch": gapw_stretch, "SASI": sasi(inpainter, dilation=3)}
    assert len(fills) == 6
    for name, fill in fills.items():
        image = fill(window)
        assert torch.equal(image[~hole], window.truth[~hole]), name
        limit = inpainter._network.config.residual if name == "SASI" else 0.01
        assert (image[hole] - 0.5).abs().max() <= limit + 1e-5, name
