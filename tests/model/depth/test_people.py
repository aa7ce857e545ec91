import cv2
import numpy as np
import pytest
import torch
from skimage import data

from model.depth import people
from model.depth.draft import Draft
from model.depth.people import find_people
from model.depth.people_network import PeopleNetwork
from model.errors import WeightsError

FACE, BESIDE = (slice(60, 170), slice(170, 270)), (slice(60, 170), slice(20, 90))


@pytest.fixture(scope="module")
def astronaut():
    """A portrait, (1, 512, 512, 3) float32 0..1: the face at FACE, a backdrop BESIDE it."""
    return data.astronaut()[None].astype(np.float32) / 255


def test_a_person_is_found_and_the_backdrop_is_not(astronaut):
    found = find_people(astronaut)[0]
    assert found[FACE].mean() > 0.95
    assert found[BESIDE].mean() < 0.05


def test_where_nobody_is_nobody_is_found():
    bikes = data.stereo_motorcycle()[0][None].astype(np.float32) / 255
    assert find_people(bikes).mean() < 0.05


def test_each_picture_is_looked_at_on_its_own(astronaut):
    both = np.concatenate((np.zeros_like(astronaut), astronaut))
    assert np.array_equal(find_people(both)[1], find_people(astronaut)[0])


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (17, 255), (40, 257), (100, 640)])
def test_any_size_is_accepted(size):
    found = find_people(np.full((2, *size, 3), 0.5, np.float32))
    assert found.shape == (2, *size)
    assert 0 <= found.min() <= found.max() <= 1


def test_the_network_halves_four_times_and_comes_back_to_the_size_of_its_picture():
    assert PeopleNetwork()(torch.rand(2, 3, 32, 48)).shape == (2, 1, 32, 48)


def test_someone_who_stands_still_is_nearer_than_the_backdrop(astronaut):
    frame = torch.from_numpy(cv2.resize(astronaut[0], (256, 256))).movedim(-1, 0)
    nearness = Draft().estimate(frame.expand(3, -1, -1, -1).contiguous())[1, 0].numpy()
    face, beside = (cv2.resize(nearness, (512, 512))[place] for place in (FACE, BESIDE))
    assert np.quantile(face, 0.1) > beside.max() + 0.2


def test_damaged_weights_are_refused(tmp_path, monkeypatch, astronaut):
    whole = people.WEIGHTS.read_bytes()
    (tmp_path / "people.safetensors").write_bytes(whole[: len(whole) // 2])
    monkeypatch.setattr(people, "WEIGHTS", tmp_path / "people.safetensors")
    people._network.cache_clear()
    with pytest.raises(WeightsError, match=r"people\.safetensors is missing or damaged"):
        find_people(astronaut)
