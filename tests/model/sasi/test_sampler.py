import pytest
import torch

from model.errors import Cancelled
from model.sasi.sampler import add_noise, sample, velocity_from_clean


def test_velocity_is_noise_minus_clean():
    clean, noise = torch.rand(4, 6), torch.randn(4, 6)
    velocity = velocity_from_clean(add_noise(clean, noise, 0.3), clean, 0.3)
    torch.testing.assert_close(velocity, noise - clean)


@pytest.mark.parametrize("steps", [1, 2, 3, 8])
def test_a_network_that_knows_z0_reaches_it_in_any_number_of_steps(steps):
    clean, noise = torch.rand(4, 6), torch.randn(4, 6)
    latent = sample(lambda noisy, sigma: velocity_from_clean(noisy, clean, sigma), noise, steps)
    torch.testing.assert_close(latent, clean, atol=1e-5, rtol=0)


def test_one_step_is_one_call_at_full_noise():
    calls = []

    def velocity(noisy: torch.Tensor, sigma: float) -> torch.Tensor:
        calls.append(sigma)
        return noisy

    sample(velocity, torch.ones(1, 2), 1)
    assert calls == [1.0]


def test_steps_are_equal_and_end_at_zero():
    calls = []
    sample(lambda noisy, sigma: calls.append(sigma) or noisy * 0, torch.ones(1), 4)
    assert calls == pytest.approx([1.0, 0.75, 0.5, 0.25])


def test_a_caller_that_cancels_stops_the_sampler():
    def on_step(done: int) -> None:
        raise Cancelled("stop")

    with pytest.raises(Cancelled):
        sample(lambda noisy, sigma: noisy, torch.ones(1), 4, on_step)
