import torch

from model.sasi.noise import position_noise


def places(count: int, start: int = 0) -> torch.Tensor:
    t, y, x = torch.meshgrid(torch.arange(start, start + 2), torch.arange(count), torch.arange(count), indexing="ij")
    return torch.stack((t, y, x), dim=-1).reshape(-1, 3)


def test_noise_of_a_token_does_not_depend_on_the_others():
    all_of_them = position_noise(places(5), 192)
    assert torch.equal(position_noise(places(5)[[31, 7]], 192), all_of_them[[31, 7]])


def test_noise_does_not_read_the_global_generator():
    torch.manual_seed(1)
    first = position_noise(places(3), 16)
    torch.manual_seed(2)
    assert torch.equal(position_noise(places(3), 16), first)


def test_noise_is_standard_normal():
    noise = position_noise(places(40), 192)  # 614 400 values: the mean's standard error is 0.0013
    assert abs(noise.mean().item()) < 0.006
    assert abs(noise.std().item() - 1) < 0.006
    assert abs((noise.abs() < 1).float().mean().item() - 0.6827) < 0.004


def test_neighbours_in_time_and_space_differ():
    noise = position_noise(torch.tensor([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [-1, 0, 0]]), 192)
    correlation = torch.corrcoef(noise) - torch.eye(5)
    assert correlation.abs().max() < 0.3  # 4 standard errors of 192 values


def test_seed_changes_everything():
    assert not torch.equal(position_noise(places(2), 8, seed=1), position_noise(places(2), 8, seed=2))


def test_odd_channel_counts_are_cut():
    assert position_noise(places(2), 7).shape == (8, 7)
