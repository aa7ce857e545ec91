import pytest
import torch

from model.errors import InvalidInputError
from model.evaluate.conversion import (
    Pair,
    conversion_table,
    geometry_error,
    geometry_table,
    read_pairs,
    right_eyes,
)


@pytest.fixture
def pair() -> Pair:
    """A textured square, 12 px nearer than a textured wall at 8 px; the right eye is exact where it is seen."""
    generator = torch.Generator().manual_seed(5)
    wall, square = (torch.rand(3, 100, 180, generator=generator) for _ in range(2))
    left, right = wall.clone(), wall.roll(-8, -1)
    left[:, 30:70, 80:120], right[:, 30:70, 60:100] = square[:, 30:70, 80:120], square[:, 30:70, 80:120]
    disparity = torch.full((1, 1, 100, 180), 8.0)
    disparity[..., 30:70, 80:120] = 20
    return Pair("square", left[None], right[None], disparity, measured=True)


def test_right_eyes_are_right_outside_the_holes_and_of_the_pairs_size(pair, inpainter):
    for name, image in right_eyes(pair, inpainter).items():
        assert image.shape == (3, 100, 180), name
        assert torch.allclose(image[:, 40:60, 62:98], pair.right[0, :, 40:60, 62:98], atol=1e-5), name
        assert torch.allclose(image[:, :25, :160], pair.right[0, :, :25, :160], atol=1e-5), name


def test_matching_the_true_right_eye_finds_the_true_depth(pair):
    error, close, share = geometry_error(pair.left[0], pair.right[0], pair.disparity[0, 0])
    assert error < 0.02
    assert close > 0.95
    assert share > 0.7


def test_matching_a_flattened_right_eye_does_not(pair):
    flat = pair.left[0].roll(-8, -1)
    error, close, _ = geometry_error(pair.left[0], flat, pair.disparity[0, 0])
    assert error > 0.05
    assert close < 0.9


def test_tables_have_a_row_for_every_fill_of_every_pair(pair, inpainter):
    fills = list(right_eyes(pair, inpainter))
    converted = conversion_table([pair], inpainter, None).splitlines()[2:]
    assert [line.split(" | ")[1] for line in converted] == fills
    assert len(geometry_table([pair], inpainter).splitlines()) == 2 + 1 + len(fills)


def test_a_drawn_scene_takes_part_in_the_conversion_alone(inpainter, tmp_path):
    (scene,) = read_pairs([], 1, (), size=(160, 96))
    assert not scene.measured
    assert len(geometry_table([scene], inpainter).splitlines()) == 2
    with pytest.raises(InvalidInputError, match="found neither"):
        read_pairs([tmp_path], 0, ())
